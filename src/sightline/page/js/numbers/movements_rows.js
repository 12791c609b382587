// The turning-movement table: rows of the API as a row an interval, a column a movement. Pure.

/**
 * @typedef {{from: string, to: string, turn: string}} Movement
 * @typedef {{start_s: number, end_s: number, start_time: string, end_time: string, covered_s: number, counts: number[], total: number, heavy: number}} Interval
 */

export const keyOf = (/** @type {{from: string, to: string}} */ { from, to }) => JSON.stringify([from, to]);

/**
 * @param {Movement[]} movements columns
 * @param {any[]} rows as the API has them
 * @returns {Interval[]}
 */
export function byInterval(movements, rows) {
  const columns = new Map(movements.map((movement, i) => [keyOf(movement), i]));
  /** @type {Map<number, Interval>} */
  const found = new Map();
  for (const { start_s, end_s, start_time, end_time, covered_s, count, heavy, ...way } of rows) {
    let interval = found.get(start_s);
    if (!interval) found.set(start_s, (interval = { start_s, end_s, start_time, end_time, covered_s, counts: movements.map(() => 0), total: 0, heavy: 0 }));
    const column = columns.get(keyOf(way));
    if (column === undefined) continue;
    interval.counts[column] += count;
    interval.total += count;
    interval.heavy += heavy;
  }
  return [...found.values()];
}

/**
 * Columns by where they come from, for the head of the table.
 * @param {Movement[]} movements
 * @returns {{from: string, n: number}[]}
 */
export function heads(movements) {
  /** @type {{from: string, n: number}[]} */
  const found = [];
  for (const { from } of movements) {
    const last = found.at(-1);
    if (last?.from === from) last.n++;
    else found.push({ from, n: 1 });
  }
  return found;
}
