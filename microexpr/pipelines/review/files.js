// What is saved and loaded: the same columns as events.csv, the same tiers as events.eaf.
const TEXTS = ["label", "action units", "review", "reviewer label", "comment"];

function csvText() {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = [data.columns, ...events.all.map((event) => data.columns.map((name) => event[name]))];
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

function csvRows(text) {
  const rows = [[]];
  let cell = "";
  let quoted = false;
  const endCell = () => {
    rows.at(-1).push(cell);
    cell = "";
  };
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[place + 1] === '"') {
        cell += '"';
        place += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === ",") endCell();
    else if (letter === "\n") {
      endCell();
      rows.push([]);
    } else if (letter !== "\r") cell += letter;
  }
  if (cell || rows.at(-1).length) endCell();
  return rows.filter((row) => row.length > 1);
}

// Take a saved table as the state of the page; return what was done, or throw a line that says why not.
function loadCsv(text) {
  const [header = [], ...rows] = csvRows(text.replace(/^\ufeff/, ""));
  // Tables of earlier versions have no action units.
  const missing = data.columns.filter((name) => !header.includes(name) && name !== "action_units");
  if (missing.length) throw new Error(`This is no table of these events: it lacks the column ${missing[0]}.`);
  const numbers = ["onset", "apex", "offset", "score", ...data.columns.filter((name) => name.startsWith("proba_"))];
  const loaded = rows.map((row) => {
    const event = Object.fromEntries(data.columns.map((name) => [name, row[header.indexOf(name)] ?? ""]));
    for (const name of numbers) event[name] = event[name] === "" ? null : Number(event[name]);
    const wrong = wrongWith(event);
    if (wrong) throw new Error(`The table was not loaded: ${wrong}.`);
    return timed(event);
  });
  const names = new Set(loaded.map((event) => event.event));
  if (names.size < loaded.length) throw new Error("The table was not loaded: two events share a name.");
  const strange = [...events.originals.keys()].find((name) => !names.has(name));
  if (strange) throw new Error(`The table was not loaded: ${strange} is not in it; it may be of another video.`);
  const change = [];
  for (const event of loaded) {
    const before = events.get(event.event) ?? null;
    // What was found stays as it was found; a table brings what a person says of it.
    const fields = Object.fromEntries(FIELDS.map((name) => [name, event[name]]));
    const after = before ? { ...before, ...fields } : event;
    if (!before || FIELDS.some((name) => before[name] !== after[name])) change.push([event.event, before, after]);
  }
  for (const event of events.all) if (!names.has(event.event)) change.push([event.event, event, null]);
  events.commit(change);
  return `${loaded.length} events loaded, ${change.length} of them changed.`;
}

const escapeXml = (text) =>
  String(text).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);

const milliseconds = (frame) => Math.floor((1000 * frame) / data.fps + 0.5);

// ELAN allows no overlap within a tier: what overlaps goes to a further one.
function lanesOf(list) {
  const lanes = [[]];
  for (const event of list) {
    const free = lanes.find((lane) => !lane.length || lane.at(-1).offset < event.onset);
    if (free) free.push(event);
    else lanes.push([event]);
  }
  return lanes;
}

function detailsOf(event) {
  const names = ["score", "region", ...data.columns.filter((name) => name.startsWith("proba_"))];
  return JSON.stringify(Object.fromEntries(names.filter((name) => event[name] !== null).map((name) => [name, event[name]])));
}

function eafText() {
  const slots = [];
  const tiers = [];
  let last = 0;
  const slot = (time) => {
    slots.push({ time });
    return slots.at(-1);
  };
  const span = (tier, first, final, value) => {
    const start = milliseconds(first);
    const id = `a${(last += 1)}`;
    tier.held.push({ id, value, from: slot(start), to: slot(Math.max(milliseconds(final + 1), start + 1)) });
    return id;
  };
  const open = (id, type, parent) => {
    tiers.push({ id, type, parent, held: [] });
    return tiers.at(-1);
  };
  for (const kind of data.kinds) {
    lanesOf(events.all.filter((event) => event.kind === kind)).forEach((lane, number) => {
      const id = number ? `${kind} ${number + 1}` : kind;
      const tier = open(id, "event");
      const parents = lane.map((event) => span(tier, event.onset, event.offset, event.event));
      const always = EXPRESSIONS.includes(id);
      if (lane.length || always) {
        const apexes = open(`${id} apex`, "within event", id);
        for (const event of lane) span(apexes, event.apex, event.apex, "apex");
      }
      for (const name of [...TEXTS, "details"]) {
        const values = lane.map((event) => (name === "details" ? detailsOf(event) : event[name.replace(" ", "_")]));
        if (!values.some(Boolean) && !(always && name !== "details")) continue;
        const below = open(`${id} ${name}`, "of event", id);
        values.forEach((value, place) => {
          if (value) below.held.push({ id: `a${(last += 1)}`, value, of: parents[place] });
        });
      }
    });
  }
  slots.sort((one, other) => one.time - other.time);
  slots.forEach((one, place) => (one.id = `ts${place + 1}`));
  return eafDocument(slots, tiers, last);
}

function eafDocument(slots, tiers, last) {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  const tag = (name, attributes, content) => {
    const kept = Object.entries(attributes).filter(([, value]) => value !== undefined);
    const opened = `<${[name, ...kept.map(([key, value]) => `${key}="${escapeXml(value)}"`)].join(" ")}`;
    return content === undefined ? `${opened}/>` : `${opened}>${content}</${name}>`;
  };
  const schema = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd";
  const date = `${new Date().toISOString().slice(0, 19)}Z`;
  lines.push(`<ANNOTATION_DOCUMENT AUTHOR="microexpr" DATE="${date}" VERSION="3.0" FORMAT="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="${schema}">`);
  const { url, mime } = data.link;
  const properties = { "microexpr:fps": data.fps, "microexpr:classes": JSON.stringify(data.classes), lastUsedAnnotationId: last };
  lines.push('<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">');
  lines.push(tag("MEDIA_DESCRIPTOR", { MEDIA_URL: url, MIME_TYPE: mime, RELATIVE_MEDIA_URL: url }));
  for (const [name, value] of Object.entries(properties)) lines.push(tag("PROPERTY", { NAME: name }, escapeXml(value)));
  lines.push("</HEADER>", "<TIME_ORDER>");
  for (const { id, time } of slots) lines.push(tag("TIME_SLOT", { TIME_SLOT_ID: id, TIME_VALUE: time }));
  lines.push("</TIME_ORDER>");
  for (const { id, type, parent, held } of tiers) {
    const annotations = held.map((one) => {
      const value = tag("ANNOTATION_VALUE", {}, escapeXml(one.value));
      const aligned = one.of === undefined;
      const places = aligned ? { TIME_SLOT_REF1: one.from.id, TIME_SLOT_REF2: one.to.id } : { ANNOTATION_REF: one.of };
      return tag("ANNOTATION", {}, tag(aligned ? "ALIGNABLE_ANNOTATION" : "REF_ANNOTATION", { ANNOTATION_ID: one.id, ...places }, value));
    });
    lines.push(tag("TIER", { TIER_ID: id, LINGUISTIC_TYPE_REF: type, PARENT_REF: parent }, `\n${annotations.join("\n")}\n`));
  }
  for (const [id, constraint] of [["event"], ["within event", "Included_In"], ["of event", "Symbolic_Association"]]) {
    const alignable = constraint !== "Symbolic_Association";
    lines.push(tag("LINGUISTIC_TYPE", { LINGUISTIC_TYPE_ID: id, TIME_ALIGNABLE: alignable, GRAPHIC_REFERENCES: false, CONSTRAINTS: constraint }));
  }
  const constraints = {
    Time_Subdivision: "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval",
    Symbolic_Subdivision: "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered",
    Symbolic_Association: "1-1 association with a parent annotation",
    Included_In: "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
  };
  for (const [name, text] of Object.entries(constraints)) lines.push(tag("CONSTRAINT", { STEREOTYPE: name, DESCRIPTION: text }));
  lines.push("</ANNOTATION_DOCUMENT>", "");
  return lines.join("\n");
}

function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
