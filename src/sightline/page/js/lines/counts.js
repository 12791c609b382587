// What the service is asked, and what its answer says of each line and zone. Pure; the counting itself is the service's.

import { keyOf, toBody } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Shape} Shape
 * @typedef {{hidden: Set<string>, min_confidence: number, min_hits: number | null}} Filter
 * @typedef {{id: string, shape: string, kind: string, name: string, direction: string, group: string, label: string, track_id: number,
 *   frame: number, pts_us: number, time: string, x: number, y: number}} Event
 * @typedef {{kind: string, name: string, direction: string, group: string, label: string, count: number}} Row
 * @typedef {{counts: Row[], evidence: Event[], occupancy: {name: string, peak: number, peak_pts_us: number | null}[],
 *   unplaced: {names: string[], frame: number, start_s: number, end_s: number}[]}} Counts
 * @typedef {{inwards: number, outwards: number, labels: Map<string, [number, number]>}} Totals
 * @typedef {{events: Event[], inwards: number[], outwards: number[], own: Map<string, Event[]>}} Tally events of a shape by time, the
 *   times of each way in microseconds, and the events of each object
 */

/** @type {Filter} */
export const EVERYTHING = { hidden: new Set(), min_confidence: 0, min_hits: null };

/** Whether a filter lets every object pass. @param {Filter} filter */
export const isEverything = (filter) => !filter.hidden.size && !filter.min_confidence && filter.min_hits === null;

/**
 * A filter in words, for beside a number: "without truck, confidence 0.40 or more".
 * @param {Filter} filter
 */
export function describe({ hidden, min_confidence, min_hits }) {
  const words = [hidden.size ? `without ${[...hidden].sort().join(", ")}` : "all classes"];
  if (min_confidence && min_hits !== null) words.push(`seen in ${min_hits} frames or more with confidence ${min_confidence.toFixed(2)} or more`);
  else if (min_confidence) words.push(`confidence ${min_confidence.toFixed(2)} or more`);
  else if (min_hits !== null) words.push(`seen in ${min_hits} frames or more`);
  return words.join(", ");
}

/**
 * A filter as the service has it.
 * @param {Filter} filter
 * @param {{label: string}[]} classes all that the job has
 */
export function filterBody({ hidden, min_confidence, min_hits }, classes) {
  const labels = [...new Set(classes.map((c) => c.label))];
  const shown = labels.filter((label) => !hidden.has(label));
  return { classes: shown.length < labels.length ? shown : [], min_confidence, min_hits };
}

/**
 * The body of `POST counts`.
 * @param {Shape[]} shapes
 * @param {Filter} filter
 * @param {{label: string}[]} classes
 */
export const question = (shapes, filter, classes) => ({ ...toBody(shapes), ...filterBody(filter, classes) });

/** Kinds and direction of the rows and events of a shape: inwards, outwards. @param {Shape} shape @returns {[string, string][]} */
const ways = (shape) => (shape.kind === "line" ? [["line", shape.in], ["line", shape.out]] : [["zone_enter", ""], ["zone_exit", ""]]);

/** What an answer counts at a shape, in all. @param {Row[]} rows @param {Shape} shape @returns {Totals} */
export function totals(rows, shape) {
  /** @type {Totals} */
  const found = { inwards: 0, outwards: 0, labels: new Map() };
  ways(shape).forEach(([kind, direction], way) => {
    for (const row of rows) {
      if (row.kind !== kind || row.name !== shape.name || row.direction !== direction || !row.count) continue;
      if (way) found.outwards += row.count;
      else found.inwards += row.count;
      const own = found.labels.get(row.label) ?? [0, 0];
      own[way] += row.count;
      found.labels.set(row.label, own);
    }
  });
  return found;
}

/** Events by shape, so that a frame asks in no time. @param {Event[]} evidence by time @param {Shape[]} shapes @returns {Map<string, Tally>} by `keyOf` */
export function tallies(evidence, shapes) {
  /** @type {Map<string, Tally>} */
  const found = new Map();
  /** @type {Map<string, string>} */
  const inwards = new Map();
  for (const shape of shapes) {
    found.set(keyOf(shape), { events: [], inwards: [], outwards: [], own: new Map() });
    if (shape.kind === "line") inwards.set(shape.name, shape.in);
  }
  for (const event of evidence) {
    const own = found.get(keyOf({ kind: shapeKind(event.kind), name: event.name }));
    if (!own) continue;
    own.events.push(event);
    const who = whoOf(event);
    own.own.set(who, [...(own.own.get(who) ?? []), event]);
    const isIn = event.kind === "zone_enter" || (event.kind === "line" && event.direction === inwards.get(event.name));
    (isIn ? own.inwards : own.outwards).push(event.pts_us);
  }
  return found;
}

/** @param {string} kind of an event @returns {"line" | "zone"} */
export const shapeKind = (kind) => (kind === "line" ? "line" : "zone");

/** How many of rising times are not after a moment. @param {number[]} times @param {number} us */
export function until(times, us) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (times[mid] <= us) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The last event that is not after a moment; -1 before the first. @param {Event[]} events by time @param {number} us */
export function lastUntil(events, us) {
  let [low, high] = [0, events.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (events[mid].pts_us <= us) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/**
 * Who of those that are in the picture is in a zone: came in, and did not go out again.
 * @param {Tally} tally of a zone
 * @param {number} us
 * @param {{group: string, track_id: number}[]} boxes of the frame
 */
export function inside(tally, us, boxes) {
  return boxes.filter((box) => {
    const own = tally.own.get(whoOf(box));
    return own && own[lastUntil(own, us)]?.kind === "zone_enter";
  }).length;
}

/** @param {{group: string, track_id: number}} thing */
const whoOf = ({ group, track_id }) => `${group} ${track_id}`;

/**
 * The chosen event in a new answer: the same one, or that of the same object at the same line, the nearest in time.
 * @param {Event | null} event
 * @param {Event[]} evidence
 */
export function kept(event, evidence) {
  if (!event) return null;
  const same = evidence.find((e) => e.id === event.id);
  if (same) return same;
  const alike = evidence.filter((e) => e.track_id === event.track_id && e.group === event.group && e.name === event.name && e.kind === event.kind && e.direction === event.direction);
  const far = (/** @type {Event} */ e) => Math.abs(e.pts_us - event.pts_us);
  return alike.length ? alike.reduce((a, b) => (far(b) < far(a) ? b : a)) : null;
}
