// The peak hour of a count: pure.

/**
 * @typedef {{start_s: number, end_s: number, start_time: string, end_time: string, count: number}} Bin
 */

/**
 * The consecutive bins that make an hour and hold the most; the first of them where several do.
 * @param {Bin[]} bins in order
 * @param {number} [span] seconds
 * @returns {Bin | null} null where the bins do not make an hour, or nothing was counted
 */
export function busiest(bins, span = 3600) {
  /** @type {Bin | null} */
  let best = null;
  let sum = 0;
  let first = 0;
  for (const last of bins) {
    sum += last.count;
    while (last.end_s - bins[first].start_s > span + 1e-6) sum -= bins[first++].count;
    const { start_s, start_time } = bins[first];
    if (Math.abs(last.end_s - start_s - span) > 1e-6 || sum <= (best?.count ?? 0)) continue;
    best = { start_s, start_time, end_s: last.end_s, end_time: last.end_time, count: sum };
  }
  return best;
}
