// What the reviewer sees and does: the selected event, the list, the keys.
const review = {
  selected: null,
  marks: [null, null],
  listed: [],

  say(text, wrong = false) {
    byId("status").textContent = text;
    byId("status").classList.toggle("wrong", wrong);
  },

  current() {
    return this.selected === null ? undefined : events.get(this.selected);
  },

  select(id, { seek = true } = {}) {
    const same = this.selected === id;
    this.selected = id;
    const event = this.current();
    if (event && seek) {
      player.pause();
      player.seek(event.apex);
    }
    this.update();
    if (!same || !event) this.showCloseup(event);
    this.reveal();
  },

  // Scroll the list alone: the page stays where the reviewer looks.
  reveal() {
    const row = byId("events").querySelector("[aria-selected=true]");
    const box = byId("events").parentElement;
    if (!row) return;
    const head = byId("events").tHead.offsetHeight;
    if (row.offsetTop - head < box.scrollTop) box.scrollTop = row.offsetTop - head;
    const below = row.offsetTop + row.offsetHeight - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
  },

  go(by) {
    if (!this.listed.length) return;
    const here = this.listed.indexOf(this.selected);
    const next = here < 0 ? (by > 0 ? 0 : this.listed.length - 1) : here + by;
    if (next < 0 || next >= this.listed.length) return void this.say(by > 0 ? "This is the last event." : "This is the first event.");
    this.select(this.listed[next]);
  },

  judge(verdict) {
    const event = this.current();
    if (!event) return;
    if (event.review === "added") return void this.say("You added this event: delete it if it is wrong.");
    events.edit(event.event, { review: event.review === verdict ? "" : verdict });
    this.say(`${event.event}: ${this.current().review || "not reviewed"}.`);
  },

  mark(end) {
    this.marks[end] = player.frame;
    this.showMarks();
  },

  add() {
    const known = this.marks.filter((frame) => frame !== null);
    if (known.length < 2) return void this.say("Mark the first frame (I) and the last one (O) before you add an event.", true);
    const id = events.add(Math.min(...known), Math.max(...known));
    this.marks = [null, null];
    this.showMarks();
    this.select(id);
    this.say(`${id} added.`);
  },

  remove() {
    const event = this.current();
    if (!event) return;
    if (event.review !== "added") return void this.say("Only events that you added can be deleted; reject this one.", true);
    events.remove(event.event);
    this.say(`${event.event} deleted.`);
  },

  undo(forwards) {
    const id = forwards ? events.redo() : events.undo();
    if (id === null) return void this.say(`There is nothing to ${forwards ? "redo" : "undo"}.`);
    this.select(events.get(id) ? id : null, { seek: false });
    this.say(`${forwards ? "Redone" : "Undone"}: ${id}.`);
  },

  showMarks() {
    const [first, last] = this.marks;
    const known = this.marks.filter((frame) => frame !== null);
    byId("marks").textContent = known.length ? `in ${first ?? "-"}, out ${last ?? "-"}` : "no marks";
    byId("marked").hidden = !known.length;
    if (known.length) timeline.place(byId("marked"), Math.min(...known), Math.max(...known));
  },

  update() {
    if (this.selected !== null && !this.current()) this.selected = null;
    timeline.update(this.selected);
    this.showList();
    this.showPanel();
  },

  showList() {
    const filter = byId("filter").value;
    const shown = events.all.filter((event) => {
      if (event.event === this.selected || filter === "all") return true;
      return EXPRESSIONS.includes(event.kind) && (filter === "expressions" || event.review === "");
    });
    this.listed = shown.map((event) => event.event);
    const body = byId("events").tBodies[0];
    body.replaceChildren(...shown.map((event) => this.rowOf(event)));
    const done = events.all.filter((event) => event.review !== "").length;
    byId("counts").textContent = `${events.all.length} events, ${done} reviewed`;
    byId("empty").hidden = shown.length > 0;
    byId("empty").textContent = events.all.length ? "No event is left to show here." : "No event was found. You can add what you see: I, O, then N.";
  },

  rowOf(event) {
    const row = document.createElement("tr");
    row.dataset.event = event.event;
    row.className = event.review;
    row.setAttribute("aria-selected", event.event === this.selected);
    const cell = (content, className = "") => {
      const made = document.createElement("td");
      made.className = className;
      made.append(content);
      row.append(made);
      return made;
    };
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = event.event;
    cell(button);
    const dot = document.createElement("span");
    dot.className = `dot ${event.kind}`;
    cell(dot).append(event.kind);
    cell(clockOf(event.onset));
    cell(`${event.onset}-${event.offset}`, "more");
    cell(`${event.duration.toFixed(3)} s`, "more");
    cell(event.score === null ? "" : String(Number(event.score.toPrecision(3))), "more");
    cell(event.region.replaceAll("_", " "), "more");
    cell(labelOf(event));
    cell(event.review);
    return row;
  },

  showPanel() {
    const event = this.current();
    byId("panel").hidden = !event;
    byId("nothing").hidden = Boolean(event);
    if (!event) return;
    byId("event-title").textContent = [event.event, event.kind, labelOf(event)].filter(Boolean).join(" · ");
    byId("event-state").textContent = event.review || "not reviewed";
    byId("event-state").className = `state ${event.review}`;
    const facts = [`${clockOf(event.onset)} to ${clockOf(event.offset)}`, `${event.duration.toFixed(3)} s`];
    if (event.score !== null) facts.push(`score ${Number(event.score.toPrecision(4))}`);
    if (event.region) facts.push(event.region.replaceAll("_", " "));
    if (event.label) facts.push(`the model says ${event.label}`);
    byId("event-facts").textContent = facts.join(", ");
    for (const [button, verdict] of [["accept", "accepted"], ["reject", "rejected"]]) {
      byId(button).setAttribute("aria-pressed", event.review === verdict);
      byId(button).disabled = event.review === "added";
    }
    byId("delete").disabled = event.review !== "added";
    for (const name of ["kind", "onset", "apex", "offset", "comment"]) byId(name).value = event[name];
    for (const name of ["onset", "apex", "offset"]) byId(name).max = data.n_frames - 1;
    byId("label").value = labelOf(event);
  },

  showCloseup(event) {
    const facts = event && data.closeups[event.event];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const clip = byId("clip");
    byId("clip-figure").hidden = !facts;
    byId("arrows-figure").hidden = !facts?.has_arrows;
    byId("no-closeup").hidden = !event || Boolean(facts);
    if (facts) {
      clip.src = payload(`clip-${event.event}`, "video/webm");
      clip.controls = still;
      if (!still) clip.play().catch(() => {});
      const every = facts.every > 1 ? ` One frame of ${facts.every} is shown.` : "";
      byId("clip-note").textContent = `${facts.found ? "" : "No face was found: the whole frame is shown. "}Close-up,${every ? every + " It runs" : ""}`;
    } else {
      clip.removeAttribute("src");
      byId("no-closeup").textContent = "This event has no close-up: press P to play it from the video, slowly.";
    }
    if (facts?.has_arrows) {
      byId("arrows").src = payload(`arrows-${event.event}`, "image/jpeg");
      byId("arrows").alt = `The face at the apex of ${event.event}, with arrows along its motion since the onset`;
      const largest = facts.largest.toFixed(2);
      byId("arrows-note").textContent = facts.largest
        ? `Motion of the face from onset to apex as found, less that of the head: at most ${largest} pixels of this picture's 240. Arrows are ${facts.gain} times as long; the longest are cut.`
        : "From onset to apex nothing moves by a quarter of a pixel.";
    } else byId("arrows").removeAttribute("src");
    this.showChances(event);
  },

  showChances(event) {
    const chances = event ? data.classes.map((name) => [name, event[`proba_${name}`]]) : [];
    const known = chances.filter(([, chance]) => chance !== null && chance !== undefined);
    const units = event?.action_units ?? "";
    byId("units").hidden = !units;
    byId("units-said").textContent = units;
    byId("chances").hidden = !known.length && !units;
    const best = Math.max(...known.map(([, chance]) => chance));
    byId("bars").replaceChildren(
      ...known.flatMap(([name, chance]) => {
        const title = document.createElement("dt");
        title.textContent = name;
        if (chance === best) title.className = "first";
        const bar = document.createElement("dd");
        bar.className = "bar";
        const filled = document.createElement("i");
        filled.style.width = `${100 * chance}%`;
        bar.append(filled);
        const figure = document.createElement("dd");
        figure.textContent = `${(100 * chance).toFixed(1)}%`;
        return [title, bar, figure];
      }),
    );
  },

  label(text) {
    const event = this.current();
    if (!event) return;
    const said = clean(text);
    // What the model says already is no label of the reviewer's.
    if (events.edit(event.event, { reviewer_label: said === event.label ? "" : said })) this.say(`${event.event}: labelled ${labelOf(this.current()) || "nothing"}.`);
    else byId("label").value = labelOf(event);
  },
};

// A text for a cell or an annotation: one line, and nothing that no file can hold.
const clean = (text) => text.replace(/[\u0000-\u001f\u007f\ufffe\uffff]/g, " ").replace(/[\ud800-\udfff]/gu, "").trim();

const KEYS = {
  " ": () => player.toggle(),
  ",": () => player.step(-1),
  ".": () => player.step(1),
  "<": () => player.step(-10),
  ">": () => player.step(10),
  ArrowLeft: (shift) => player.step(shift ? -10 : -1),
  ArrowRight: (shift) => player.step(shift ? 10 : 1),
  j: () => review.go(1),
  k: () => review.go(-1),
  ArrowDown: () => review.go(1),
  ArrowUp: () => review.go(-1),
  p: () => review.current() && player.repeat(review.current().onset, review.current().offset),
  a: () => review.judge("accepted"),
  r: () => review.judge("rejected"),
  l: () => {
    if (!review.current()) return;
    byId("label").focus();
    byId("label").select();
  },
  i: () => review.mark(0),
  o: () => review.mark(1),
  n: () => review.add(),
  "[": () => review.current() && events.move(review.selected, { onset: Math.min(player.frame, review.current().offset) }),
  "]": () => review.current() && events.move(review.selected, { offset: Math.max(player.frame, review.current().onset) }),
  Delete: () => review.remove(),
  Backspace: () => review.remove(),
  z: (shift) => review.undo(shift),
  "+": () => timeline.setZoom(timeline.zoom * 1.6, player.frame),
  "=": () => timeline.setZoom(timeline.zoom * 1.6, player.frame),
  "-": () => timeline.setZoom(timeline.zoom / 1.6, player.frame),
  0: () => timeline.setZoom(1, 0),
  e: () => review.current() && timeline.zoomTo(review.current()),
  "?": () => byId("help").showModal(),
};

const BUTTONS = {
  ...{ back: ",", play: " ", forth: ".", "mark-in": "i", "mark-out": "o", add: "n", accept: "a", reject: "r", delete: "Delete" },
  ...{ "play-event": "p", previous: "k", next: "j", undo: "z", "zoom-in": "+", "zoom-out": "-", "zoom-event": "e", "zoom-all": "0", "help-open": "?" },
};

document.addEventListener("keydown", (event) => {
  if (byId("help").open || event.isComposing) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") {
      review.showPanel();
      event.target.blur();
    } else if (event.key === "Enter") event.target.blur();
    return;
  }
  const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (event.altKey || ((event.ctrlKey || event.metaKey) && !undoes)) return;
  // A button that the keyboard has reached is pressed by the space bar, as everywhere.
  if (event.key === " " && event.target.matches("button, summary")) return;
  if (event.key.startsWith("Arrow") && event.target === timeline.scroller && event.shiftKey) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act(event.shiftKey);
});

for (const [id, key] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => KEYS[key](false));
// The mouse leaves no focus behind: the space bar would press the button again instead of playing.
document.addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur());
byId("events").addEventListener("click", (event) => {
  const row = event.target.closest("tbody tr");
  if (row) review.select(row.dataset.event);
});
byId("filter").addEventListener("change", () => review.update());
byId("kind").addEventListener("change", () => events.edit(review.selected, { kind: byId("kind").value }));
byId("label").addEventListener("change", () => review.label(byId("label").value));
byId("comment").addEventListener("change", () => events.edit(review.selected, { comment: clean(byId("comment").value) }));
for (const name of ["onset", "apex", "offset"]) {
  byId(name).addEventListener("change", () => {
    const frame = byId(name).valueAsNumber;
    const event = review.current();
    const fits = { onset: frame <= event.offset, apex: frame >= event.onset && frame <= event.offset, offset: frame >= event.onset };
    const allowed = Number.isInteger(frame) && frame >= 0 && frame < data.n_frames && fits[name];
    if (allowed && events.move(event.event, { [name]: frame })) player.seek(frame);
    if (!allowed) review.say(`${name} must be a frame of the video, in the order onset, apex, offset.`, true);
    review.showPanel();
  });
}
byId("save-csv").addEventListener("click", () => save("events_reviewed.csv", csvText(), "text/csv"));
byId("save-eaf").addEventListener("click", () => save("events_reviewed.eaf", eafText(), "application/xml"));
byId("load").addEventListener("change", async () => {
  const [file] = byId("load").files;
  if (!file) return;
  try {
    review.say(loadCsv(await file.text()));
  } catch (error) {
    review.say(error.message, true);
  }
  byId("load").value = "";
});
window.addEventListener("beforeunload", (event) => {
  if (!events.stored && events.done.length) event.preventDefault();
});

events.listeners.push(() => review.update());
player.listeners.push((frame) => {
  timeline.show(frame);
  byId("clock").textContent = `${clockOf(frame)}, frame ${frame}`;
  byId("play").textContent = player.video.paused ? "\u25b6\ufe0e" : "\u275a\u275a";
  byId("play").setAttribute("aria-label", player.video.paused ? "Play" : "Pause");
});
const recalled = events.recall();
timeline.start();
player.start();
review.update();
if (recalled) review.say(`${recalled} changes of an earlier visit are taken up.`);
