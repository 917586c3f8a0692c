// Scores and events over time: zoomed by the width of what is scrolled, drawn only where it is seen.
const PAD = 14;
const HEIGHT = 110;
const AXIS = 18;
const LARGEST_FRAME = 32;
// Browsers lay out no element that is much wider.
const WIDEST = 16e6;

const timeline = {
  scroller: byId("scroller"),
  inner: byId("inner"),
  canvas: byId("curve"),
  zoom: 1,
  dragged: null,
  range: null,

  start() {
    const rows = data.kinds.filter((kind) => EXPRESSIONS.includes(kind) || data.events.some((event) => event.kind === kind));
    this.rows = new Map();
    byId("gutter").innerHTML = '<div class="curve">score</div>';
    for (const kind of rows) this.addRow(kind);
    const finite = [...scores.low, ...scores.high].filter(Number.isFinite);
    const least = finite.reduce((one, other) => Math.min(one, other), data.threshold);
    const most = finite.reduce((one, other) => Math.max(one, other), data.threshold);
    const room = (most - least || 1) * 0.06;
    this.range = [least - room, most + room];
    this.inner.addEventListener("pointerdown", (event) => this.press(event));
    this.inner.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.inner.addEventListener(name, (event) => this.release(event));
    this.scroller.addEventListener("scroll", () => this.draw());
    this.scroller.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.setZoom(this.zoom * (event.deltaY < 0 ? 1.25 : 0.8), this.frameAt(event.clientX));
      },
      { passive: false },
    );
    new ResizeObserver(() => this.setZoom(this.zoom, this.middle())).observe(this.scroller);
  },

  addRow(kind) {
    const quiet = EXPRESSIONS.includes(kind) ? "" : " quiet";
    const row = document.createElement("div");
    row.className = `row${quiet}`;
    byId("rows").append(row);
    this.rows.set(kind, row);
    const name = document.createElement("div");
    name.className = "row";
    name.textContent = kind;
    byId("gutter").append(name);
  },

  width() {
    return this.inner.clientWidth - 2 * PAD;
  },

  frameAt(x) {
    const place = (x - this.inner.getBoundingClientRect().left - PAD) / this.width();
    return Math.max(0, Math.min(data.n_frames - 1, Math.floor(place * data.n_frames)));
  },

  middle() {
    const { left, width } = this.scroller.getBoundingClientRect();
    return this.frameAt(left + width / 2);
  },

  // Keep the frame `around` where it is on the screen, or bring it into the middle.
  setZoom(zoom, around, centred = false) {
    const seen = this.scroller.clientWidth;
    const largest = Math.max(1, Math.min(WIDEST, data.n_frames * LARGEST_FRAME) / Math.max(1, seen - 2 * PAD));
    const x = (frame) => PAD + ((frame + 0.5) / data.n_frames) * this.width();
    const before = centred ? seen / 2 : x(around) - this.scroller.scrollLeft;
    this.zoom = Math.max(1, Math.min(zoom, largest));
    this.inner.style.width = `${Math.floor((seen - 2 * PAD) * this.zoom + 2 * PAD)}px`;
    this.scroller.scrollLeft = x(around) - before;
    this.draw();
  },

  zoomTo(event) {
    const length = event.offset - event.onset + 1;
    this.setZoom(data.n_frames / (length * 6), Math.floor((event.onset + event.offset) / 2), true);
  },

  show(frame) {
    const x = PAD + ((frame + 0.5) / data.n_frames) * this.width();
    const { scrollLeft, clientWidth } = this.scroller;
    if (x < scrollLeft + PAD || x > scrollLeft + clientWidth - PAD) this.scroller.scrollLeft = x - clientWidth / 4;
    byId("playhead").style.setProperty("--at", (frame + 0.5) / data.n_frames);
  },

  place(element, onset, offset) {
    element.style.setProperty("--at", onset / data.n_frames);
    element.style.setProperty("--long", (offset - onset + 1) / data.n_frames);
  },

  update(selected) {
    for (const row of this.rows.values()) row.replaceChildren();
    for (const event of events.all) {
      if (!this.rows.has(event.kind)) this.addRow(event.kind);
      const block = document.createElement("button");
      block.type = "button";
      // The list below is the way for the keyboard: hundreds of stops here would be in it.
      block.tabIndex = -1;
      const quiet = EXPRESSIONS.includes(event.kind) ? "" : "quiet";
      block.className = ["block", event.kind, event.review, quiet].filter(Boolean).join(" ");
      block.dataset.event = event.event;
      block.title = `${event.event} ${event.kind} ${labelOf(event)} ${event.review}`.replace(/\s+/g, " ");
      block.setAttribute("aria-label", block.title);
      this.place(block, event.onset, event.offset);
      if (event.event === selected) {
        block.classList.add("selected");
        for (const name of ["onset", "offset"]) {
          const edge = document.createElement("span");
          edge.className = `edge ${name}`;
          edge.dataset.edge = name;
          block.append(edge);
        }
      }
      this.rows.get(event.kind).append(block);
    }
  },

  press(pressed) {
    if (pressed.button !== 0) return;
    const block = pressed.target.closest(".block");
    const edge = pressed.target.dataset.edge;
    if (edge) {
      this.dragged = { edge, block, event: events.get(block.dataset.event), frame: null };
    } else if (block) {
      review.select(block.dataset.event);
      pressed.preventDefault();
      return;
    } else {
      this.dragged = { seek: true };
      player.pause();
      player.seek(this.frameAt(pressed.clientX));
    }
    pressed.preventDefault();
    this.inner.setPointerCapture(pressed.pointerId);
  },

  drag(moved) {
    if (!this.dragged) return;
    const frame = this.frameAt(moved.clientX);
    if (this.dragged.seek) return void player.seek(frame);
    const { edge, block, event } = this.dragged;
    const onset = edge === "onset" ? Math.min(frame, event.offset) : event.onset;
    const offset = edge === "offset" ? Math.max(frame, event.onset) : event.offset;
    this.dragged.fields = { onset, offset };
    this.place(block, onset, offset);
    player.seek(edge === "onset" ? onset : offset);
  },

  release() {
    const { event, fields } = this.dragged ?? {};
    this.dragged = null;
    if (fields) events.move(event.event, fields);
  },

  draw() {
    const width = this.scroller.clientWidth;
    const dots = window.devicePixelRatio || 1;
    const { canvas } = this;
    canvas.style.width = `${width}px`;
    canvas.width = Math.round(width * dots);
    canvas.height = Math.round(HEIGHT * dots);
    const pen = canvas.getContext("2d");
    pen.scale(dots, dots);
    const from = this.scroller.scrollLeft;
    const perFrame = this.width() / data.n_frames;
    const x = (frame) => PAD + (frame + 0.5) * perFrame - from;
    const y = (score) => 4 + (1 - (score - this.range[0]) / (this.range[1] - this.range[0])) * (HEIGHT - AXIS - 8);
    this.drawAxis(pen, x, width, perFrame);
    this.drawScores(pen, x, y, width);
    pen.strokeStyle = "#a8261c";
    pen.setLineDash([6, 4]);
    pen.beginPath();
    pen.moveTo(0, y(data.threshold));
    pen.lineTo(width, y(data.threshold));
    pen.stroke();
    pen.setLineDash([]);
  },

  drawAxis(pen, x, width, perFrame) {
    const perSecond = perFrame * data.fps;
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const step = steps.find((one) => one * perSecond > 70) ?? 7200;
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = "#566170";
    pen.strokeStyle = "#e3e8ee";
    pen.textAlign = "center";
    const first = Math.max(0, Math.floor((0 - x(0)) / perSecond / step));
    for (let number = first; ; number += 1) {
      const seconds = number * step;
      const place = x(seconds * data.fps - 0.5);
      if (place > width || seconds * data.fps > data.n_frames) break;
      pen.beginPath();
      pen.moveTo(place, 0);
      pen.lineTo(place, HEIGHT - AXIS);
      pen.stroke();
      const minutes = Math.floor(seconds / 60);
      const rest = (seconds - 60 * minutes).toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0);
      const text = minutes ? `${minutes}:${rest.padStart(step < 1 ? 4 : 2, "0")}` : `${rest} s`;
      pen.fillText(text, Math.max(12, Math.min(width - 16, place)), HEIGHT - 5);
    }
  },

  // One upright line for each pixel, from its least score to its largest: no peak is lost.
  drawScores(pen, x, y, width) {
    pen.strokeStyle = "#33475b";
    pen.lineWidth = 1.2;
    pen.beginPath();
    let joined = false;
    let row = 0;
    const { starts, low, high } = scores;
    while (row < starts.length && x(starts[row]) < -4) row += 1;
    row = Math.max(0, row - 1);
    while (row < starts.length) {
      const place = Math.round(x(starts[row]) * 2) / 2;
      if (place > width + 4) break;
      let least = Infinity;
      let most = -Infinity;
      let gap = false;
      const column = Math.floor(place);
      for (; row < starts.length && Math.floor(Math.round(x(starts[row]) * 2) / 2) === column; row += 1) {
        if (Number.isNaN(low[row])) gap = true;
        else {
          least = Math.min(least, low[row]);
          most = Math.max(most, high[row]);
        }
      }
      if (least === Infinity) {
        joined = false;
        continue;
      }
      if (joined) pen.lineTo(place, y(least));
      else pen.moveTo(place, y(least));
      pen.lineTo(place, y(most) - (most === least && !joined ? 1 : 0));
      joined = !gap;
    }
    pen.stroke();
    pen.lineWidth = 1;
  },
};
