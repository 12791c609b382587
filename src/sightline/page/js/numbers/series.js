// What the chart draws: events in bins on the clock, and what was in view. Pure.

import { wayOf } from "./audit_facts.js";

/**
 * @typedef {{begin: number, size: number, n: number}} Bins `begin` and `size` in microseconds of the video
 * @typedef {{name: string, title: string, group?: string, values: number[]}} Series
 */

/** Lengths in seconds, with their words and how the API says them. */
export const LENGTHS = /** @type {[number, string, string][]} */ ([
  [1, "1 s", "1s"], [5, "5 s", "5s"], [15, "15 s", "15s"], [60, "1 min", "1m"], [300, "5 min", "5m"], [900, "15 min", "15m"], [3600, "1 h", "1h"],
]);

/**
 * Bins that begin as the clock has them: at 07:00, 07:15, though the video begins at 07:03.
 * @param {number} duration microseconds
 * @param {number} seconds
 * @param {number} [midnight] microseconds from midnight to the first frame
 * @returns {Bins}
 */
export function binsOf(duration, seconds, midnight = 0) {
  const size = seconds * 1e6;
  const begin = -(midnight % size) || 0;
  return { begin, size, n: Math.max(1, Math.ceil((duration - begin) / size)) };
}

/** @param {Bins} bins @param {number} us @returns {number} the bin of a moment, the last one at the end */
export const binAt = ({ begin, size, n }, us) => Math.min(n - 1, Math.max(0, Math.floor((us - begin) / size)));

/**
 * Events of each line, or of the directions of the chosen one. Who leaves a zone entered it, and counts once in all.
 * @param {{kind: string, name: string, direction: string, pts_us: number}[]} events
 * @param {any[]} shapes in the order that they are drawn in
 * @param {string | null} chosen
 * @param {Bins} bins
 * @returns {Series[]}
 */
export function crossings(events, shapes, chosen, bins) {
  const shape = shapes.find((each) => each.name === chosen);
  const series = shape ? waysOf(shape) : shapes.map((each) => ({ name: each.name, title: each.name, values: [] }));
  /** @type {Map<string, Series>} */
  const found = new Map();
  for (const each of series) found.set(each.name, { ...each, values: new Array(bins.n).fill(0) });
  for (const event of events) {
    if (shape ? event.name !== shape.name : event.kind === "zone_exit") continue;
    const own = found.get(shape ? wayOf(event) : event.name);
    if (own) own.values[binAt(bins, event.pts_us)]++;
  }
  return [...found.values()];
}

/** @param {any} shape @returns {Series[]} */
function waysOf(shape) {
  const names = shape.kind === "line" ? [shape.in ?? "in", shape.out ?? "out"] : ["zone_enter", "zone_exit"];
  const titles = shape.kind === "line" ? names : ["entered", "left"];
  return names.map((name, i) => ({ name, title: `${shape.name}, ${titles[i]}`, values: [] }));
}

/**
 * The most in view at once, by group, from finer bins of an overview.
 * @param {{bin_us: number, begin_us: number, groups: {group: string, in_view: number[]}[]}} overview
 * @param {Set<string>} groups that are shown
 * @param {Bins} bins
 * @returns {Series[]}
 */
export function inView(overview, groups, bins) {
  return overview.groups.filter(({ group }) => groups.has(group)).map(({ group, in_view }) => {
    const values = new Array(bins.n).fill(0);
    in_view.forEach((most, i) => {
      const bin = binAt(bins, overview.begin_us + i * overview.bin_us);
      values[bin] = Math.max(values[bin], most);
    });
    return { name: group, title: group, group, values };
  });
}
