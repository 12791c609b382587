// The audit as the page has it: which events are to be looked at, how far that is, and what it found. Pure.

/**
 * @typedef {object} Event as the API has it
 * @property {string} id
 * @property {string} kind
 * @property {string} name
 * @property {string} direction
 * @property {string} group
 * @property {string} label
 * @property {number} track_id
 * @property {number} frame
 * @property {number} pts_us
 * @property {number} x
 * @property {number} y
 * @property {string | null} said accepted, rejected
 * @property {string | null} by
 * @property {string | null} at
 *
 * @typedef {{raw: number, accepted: number, rejected: number, missed: number, open: number, verified: number, error: number | null}} Figures
 * @typedef {Figures & {kind: string, name: string, direction: string, group: string, label: string}} AuditRow
 * @typedef {{kind: string, name: string, direction: string}} Place
 */

/**
 * Lines with their directions, zones with entered and left: what can be audited, in the order that they are drawn in.
 * @param {any[]} shapes
 * @returns {Place[]}
 */
export function placesOf(shapes) {
  return shapes.flatMap((shape) => {
    if (shape.kind === "zone") return ["zone_enter", "zone_exit"].map((kind) => ({ kind, name: shape.name, direction: "" }));
    return [shape.in ?? "in", shape.out ?? "out"].map((direction) => ({ kind: "line", name: shape.name, direction }));
  });
}

/**
 * The events to step through.
 * @param {Event[]} events in the order of time
 * @param {{name: string, doubtful?: Set<string> | null}} chosen of this line or zone; ids of doubtful tracks, `group/id`, come first
 */
export function queueOf(events, { name, doubtful = null }) {
  const own = events.filter((event) => event.name === name);
  if (!doubtful) return own;
  const late = (/** @type {Event} */ event) => (doubtful.has(`${event.group}/${event.track_id}`) ? 0 : 1);
  return own.map((event, i) => ({ event, i })).sort((a, b) => late(a.event) - late(b.event) || a.i - b.i).map(({ event }) => event);
}

/**
 * Where to go from an event: the next that nobody has looked at, from there on and then from the begin.
 * @param {Event[]} queue
 * @param {number} at
 * @returns {number} -1 where all were looked at
 */
export function nextOpen(queue, at) {
  const after = queue.findIndex((event, i) => i > at && !event.said);
  return after >= 0 ? after : queue.findIndex((event) => !event.said);
}

/** How many were looked at. @param {Event[]} queue */
export const looked = (queue) => queue.filter((event) => event.said).length;

/**
 * Rows of an audit as one row a key: figures added up, the error of the sums.
 * @template {AuditRow} Row
 * @param {Row[]} rows
 * @param {(row: Row) => string} key
 * @returns {{row: Row, figures: Figures}[]} the first row of each key, and the sums
 */
export function summed(rows, key) {
  /** @type {Map<string, {row: Row, figures: Figures}>} */
  const found = new Map();
  for (const row of rows) {
    const own = found.get(key(row)) ?? { row, figures: { raw: 0, accepted: 0, rejected: 0, missed: 0, open: 0, verified: 0, error: null } };
    for (const name of /** @type {const} */ (["raw", "accepted", "rejected", "missed", "open", "verified"])) own.figures[name] += row[name];
    own.figures.error = own.figures.verified ? (own.figures.raw - own.figures.verified) / own.figures.verified : null;
    found.set(key(row), own);
  }
  return [...found.values()];
}

/** What of the shapes is said in panels: it stays while one is dragged. @param {any[]} shapes */
export const namesOf = (shapes) => JSON.stringify(shapes.map((shape) => [shape.kind, shape.name, shape.in, shape.out]));

/** Which way an event went: a direction, or in and out of a zone. @param {{kind: string, direction: string}} event */
export const wayOf = ({ kind, direction }) => (kind === "line" ? direction : kind);

/** @param {string} name @param {string} way */
export const placeKey = (name, way) => JSON.stringify([name, way]);

/**
 * What is shown of each place and what of it holds after the audit; only places at which somebody has looked.
 * @param {{id: string, kind: string, name: string, direction: string}[]} shown events, as they are counted now
 * @param {{events: Event[], missed: any[]}} audit
 * @param {Set<string>} hidden labels
 * @returns {Map<string, {raw: number, verified: number, looked: number}>} by `placeKey`
 */
export function verifiedOf(shown, audit, hidden) {
  const said = new Map(audit.events.filter((event) => event.said).map((event) => [event.id, event.said]));
  /** @type {Map<string, {raw: number, verified: number, looked: number, missed: number}>} */
  const found = new Map();
  const at = (/** @type {any} */ event) => {
    const key = placeKey(event.name, wayOf(event));
    let own = found.get(key);
    if (!own) found.set(key, (own = { raw: 0, verified: 0, looked: 0, missed: 0 }));
    return own;
  };
  for (const event of shown) {
    const own = at(event);
    own.raw++;
    own.looked += said.has(event.id) ? 1 : 0;
    own.verified += said.get(event.id) === "rejected" ? 0 : 1;
  }
  for (const event of audit.missed.filter(({ label }) => !hidden.has(label))) {
    const own = at(event);
    own.missed++;
    own.verified++;
  }
  return new Map([...found].filter(([, own]) => own.looked || own.missed));
}
