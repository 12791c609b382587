// What the timeline draws, as paths. Pure.

/** @typedef {import("./frames.js").Frames} Frames */

export const HEIGHT = 74;
const TOP = 4;
const LANES = 48; // CSS pixels that all groups share
export const TICKS = 65; // in stands above this line, out hangs below it

/** Upper edge and height of the lane of each of some groups. @param {number} count */
export function lanes(count) {
  const height = Math.floor(LANES / Math.max(1, count)) - 4;
  return Array.from({ length: count }, (_, i) => ({ top: TOP + i * (height + 4), height }));
}

/**
 * A filled step curve: how many were in view, bin by bin.
 * @param {number[]} levels @param {{top: number, height: number}} lane
 * @param {(bin: number) => number} x of the left edge of a bin
 */
export function area(levels, { top, height }, x) {
  const most = Math.max(1, ...levels);
  const base = top + height;
  let d = `M${x(0).toFixed(1)} ${base}`;
  levels.forEach((level, i) => {
    const y = (base - (level / most) * height).toFixed(1);
    d += `L${x(i).toFixed(1)} ${y}L${x(i + 1).toFixed(1)} ${y}`;
  });
  return `${d}L${x(levels.length).toFixed(1)} ${base}Z`;
}

/**
 * A tick an event, one where several share a pixel.
 * @param {{pts_us: number}[]} events @param {(us: number) => number} x @param {boolean} up
 */
export function ticks(events, x, up) {
  const places = new Set(events.map(({ pts_us }) => Math.round(x(pts_us))));
  return [...places].map((at) => `M${at} ${up ? TICKS - 7 : TICKS + 1}v7`).join("");
}

/**
 * Runs of frames that are known to be undecodable, from the first one to the next that is not.
 * @param {Frames} frames
 * @returns {[number, number][]} microseconds
 */
export function lostRuns({ n, pts, failed, duration }) {
  /** @type {[number, number][]} */
  const found = [];
  for (let row = 0; row < n; row++) {
    if (!failed[row]) continue;
    const from = row;
    while (row < n && failed[row]) row++;
    found.push([pts[from], row < n ? pts[row] : duration]);
  }
  return found;
}
