// The table of intervals: rows of the API by line and direction, a column a class. Pure.

import { busiest } from "./peak.js";

/**
 * @typedef {object} CountRow as the API has it
 * @property {number} start_s
 * @property {number} end_s
 * @property {string} start_time
 * @property {string} end_time
 * @property {number} covered_s
 * @property {string} kind unique, line, zone_enter, zone_exit
 * @property {string} name
 * @property {string} direction
 * @property {string} group
 * @property {string} label
 * @property {number} count
 *
 * @typedef {{kind: string, name: string, direction: string, by: Record<string, number>, total: number}} Series
 * @typedef {Series & {start_s: number, end_s: number, start_time: string, end_time: string, covered_s: number}} Interval
 * @typedef {{labels: string[], rows: Interval[], totals: Series[], peak: import("./peak.js").Bin | null}} Table
 */

const ENTERED = new Map([["zone_enter", "entered"], ["zone_exit", "left"], ["unique", "first seen"]]);

/** The direction of a row in words. @param {{kind: string, direction: string}} row */
export const wayOf = ({ kind, direction }) => ENTERED.get(kind) ?? direction;

/** What is counted where no line is chosen. @param {{kind: string, name: string}} row */
export const placeOf = ({ kind, name }) => (kind === "unique" ? "whole picture" : name);

/**
 * The table of one line or zone, or of all; of unique objects where there are none.
 * @param {CountRow[]} counts
 * @param {{name?: string, labels: string[]}} chosen `labels` that are shown, in their order
 * @returns {Table}
 */
export function tabulate(counts, { name = "", labels }) {
  const crossed = counts.some((row) => row.kind !== "unique");
  const fits = (/** @type {CountRow} */ row) => (row.kind === "unique") !== crossed && (!name || row.name === name);
  const shown = counts.filter((row) => fits(row) && labels.includes(row.label));
  /** @type {Map<string, Interval>} */
  const rows = new Map();
  for (const row of shown) {
    const key = JSON.stringify([row.start_s, row.kind, row.name, row.direction]);
    const { group: _group, label, count, ...rest } = row;
    let interval = rows.get(key);
    if (!interval) rows.set(key, (interval = { ...rest, by: {}, total: 0 }));
    add(interval, label, count);
  }
  const listed = [...rows.values()];
  const known = new Set(shown.map((row) => row.label));
  return { labels: labels.filter((label) => known.has(label)), rows: listed, totals: sums(listed), peak: busiest(inAll(listed)) };
}

/** @param {Series} series @param {string} label @param {number} count */
function add(series, label, count) {
  series.by[label] = (series.by[label] ?? 0) + count;
  series.total += count;
}

/** A row a line and direction. @param {Interval[]} rows @returns {Series[]} */
function sums(rows) {
  /** @type {Map<string, Series>} */
  const found = new Map();
  for (const { kind, name, direction, by } of rows) {
    const key = JSON.stringify([kind, name, direction]);
    let series = found.get(key);
    if (!series) found.set(key, (series = { kind, name, direction, by: {}, total: 0 }));
    for (const [label, count] of Object.entries(by)) add(series, label, count);
  }
  return [...found.values()];
}

/** All lines and directions together; who enters a zone leaves it too, and counts once. @param {Interval[]} rows */
function inAll(rows) {
  /** @type {Map<number, import("./peak.js").Bin>} */
  const bins = new Map();
  for (const { start_s, end_s, start_time, end_time, kind, total } of rows) {
    const bin = bins.get(start_s) ?? { start_s, end_s, start_time, end_time, count: 0 };
    if (kind !== "zone_exit") bin.count += total;
    bins.set(start_s, bin);
  }
  return [...bins.values()];
}
