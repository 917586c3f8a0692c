// The events and what is done to them: one change after the other, each of which can be undone.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const FIELDS = ["kind", "onset", "apex", "offset", "review", "reviewer_label", "comment"];
const EXPRESSIONS = ["micro", "macro"];
const KEY = `microexpr-review:${data.key}`;
const LONGEST_MICRO = 0.5;
const MOST_UNDONE = 500;

// Frames that the reviewer moves take the times in seconds along.
function timed(event) {
  const seconds = (frame) => frame / data.fps;
  return {
    ...event,
    onset_s: seconds(event.onset),
    apex_s: seconds(event.apex),
    offset_s: seconds(event.offset),
    duration: (event.offset - event.onset + 1) / data.fps,
  };
}

const byTime = (one, other) =>
  one.onset - other.onset || one.offset - other.offset || (one.event < other.event ? -1 : one.event > other.event ? 1 : 0);

const events = {
  all: data.events.map((event) => ({ ...event })),
  originals: new Map(data.events.map((event) => [event.event, event])),
  done: [],
  undone: [],
  listeners: [],
  stored: true,

  get(id) {
    return this.all.find((event) => event.event === id);
  },

  // Each change is a list of [name, before, after]; what is not there is null.
  apply(change, forwards) {
    for (const [id, before, after] of change) {
      const wanted = forwards ? after : before;
      const rest = this.all.filter((event) => event.event !== id);
      this.all = wanted ? [...rest, timed(wanted)] : rest;
    }
    this.all.sort(byTime);
    this.keep();
    for (const listener of this.listeners) listener(change[0][0]);
  },

  commit(change) {
    if (!change.length) return false;
    this.done.push(change);
    if (this.done.length > MOST_UNDONE) this.done.shift();
    this.undone = [];
    this.apply(change, true);
    return true;
  },

  // Change some fields of one event; what stays as it is, is no change.
  edit(id, fields) {
    const before = this.get(id);
    if (!before || Object.entries(fields).every(([name, value]) => before[name] === value)) return false;
    return this.commit([[id, before, { ...before, ...fields }]]);
  },

  move(id, fields) {
    const event = { ...this.get(id), ...fields };
    const last = data.n_frames - 1;
    event.onset = Math.max(0, Math.min(event.onset, last));
    event.offset = Math.max(event.onset, Math.min(event.offset, last));
    event.apex = Math.max(event.onset, Math.min(event.apex, event.offset));
    return this.edit(id, { onset: event.onset, apex: event.apex, offset: event.offset });
  },

  add(onset, offset) {
    let number = 1;
    const name = () => `A${String(number).padStart(3, "0")}`;
    while (this.get(name())) number += 1;
    const event = Object.fromEntries(data.columns.map((column) => [column, null]));
    const kind = (offset - onset + 1) / data.fps <= LONGEST_MICRO ? "micro" : "macro";
    Object.assign(event, { event: name(), kind, onset, offset, apex: scores.peak(onset, offset), region: "" });
    Object.assign(event, { label: "", action_units: "", review: "added", reviewer_label: "", comment: "" });
    this.commit([[event.event, null, event]]);
    return event.event;
  },

  remove(id) {
    return this.commit([[id, this.get(id), null]]);
  },

  undo() {
    const change = this.done.pop();
    if (!change) return null;
    this.undone.push(change);
    this.apply(change, false);
    return change[0][0];
  },

  redo() {
    const change = this.undone.pop();
    if (!change) return null;
    this.done.push(change);
    this.apply(change, true);
    return change[0][0];
  },

  // Only what the reviewer changed is kept: storage is small.
  keep() {
    const changed = this.all.filter((event) => {
      const original = this.originals.get(event.event);
      return !original || FIELDS.some((name) => original[name] !== event[name]);
    });
    try {
      localStorage.setItem(KEY, JSON.stringify(changed));
      this.stored = true;
    } catch {
      this.stored = false;
    }
    byId("storage-note").hidden = this.stored;
  },

  // Take up what an earlier visit left; whatever is no event of this video stays out.
  recall() {
    let kept = [];
    try {
      kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    } catch {
      byId("storage-note").hidden = false;
      this.stored = false;
    }
    if (!Array.isArray(kept)) return 0;
    const sound = kept.filter((event) => wrongWith(event) === "");
    const names = new Set(sound.map((event) => event.event));
    this.all = [...this.all.filter((event) => !names.has(event.event)), ...sound.map(timed)].sort(byTime);
    return sound.length;
  },
};

// Say what is wrong with an event from outside; "" if nothing is.
function wrongWith(event) {
  if (!event || typeof event !== "object" || !event.event) return "an event without a name";
  const frames = [event.onset, event.apex, event.offset];
  if (!frames.every(Number.isInteger)) return `${event.event}: frames must be whole numbers`;
  if (frames[0] < 0 || frames[0] > frames[1] || frames[1] > frames[2]) return `${event.event}: onset, apex and offset are out of order`;
  if (frames[2] >= data.n_frames) return `${event.event}: it ends after the video`;
  if (!data.kinds.includes(event.kind)) return `${event.event}: there is no kind ${event.kind}`;
  if (!["", "accepted", "rejected", "added"].includes(event.review)) return `${event.event}: a review cannot be ${event.review}`;
  return "";
}

// The label that stands: the reviewer's, or else the model's.
const labelOf = (event) => event.reviewer_label || event.label;

function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

const scores = {
  starts: unpack(data.scores.starts, Int32Array),
  low: unpack(data.scores.low, Float32Array),
  high: unpack(data.scores.high, Float32Array),

  // The frame of the largest score from onset to offset; the middle where there is none.
  peak(onset, offset) {
    let best = -1;
    for (let row = 0; row < this.starts.length; row += 1) {
      const inside = this.starts[row] >= onset && this.starts[row] <= offset && !Number.isNaN(this.high[row]);
      if (inside && (best < 0 || this.high[row] > this.high[best])) best = row;
    }
    return best < 0 ? Math.floor((onset + offset) / 2) : this.starts[best];
  },
};
