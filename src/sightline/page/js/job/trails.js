// Where tracks have been, from the segments in memory. Feet: the middle of a box's lower edge, as it is counted.

/** @typedef {import("./boxes.js").Boxes} Boxes */
/** @typedef {import("./frames.js").Frames} Frames */

const TRAIL_US = 1e6;

/** @param {import("./segments.js").Segment} segment @param {number} row */
const foot = ({ box }, row) => [(box[4 * row] + box[4 * row + 2]) / 2, box[4 * row + 3]];

/**
 * The last second of every track of some groups.
 * @param {Boxes} boxes @param {Frames} frames @param {number} row @param {string[]} groups
 * @returns {Map<string, number[][]>} x, y, seq by `group:track`
 */
export function trailsOf(boxes, frames, row, groups) {
  let from = row;
  let first = frames.seq[row];
  while (from > 0 && frames.pts[row] - frames.pts[from - 1] <= TRAIL_US) {
    from--;
    if (frames.seq[from] >= 0) first = frames.seq[from];
  }
  const found = new Map();
  for (const group of groups) {
    boxes.each(group, first, frames.seq[row], (segment, at, seq) => {
      const key = `${group}:${segment.track[at]}`;
      const points = found.get(key);
      if (points) points.push([...foot(segment, at), seq]);
      else found.set(key, [[...foot(segment, at), seq]]);
    });
  }
  return found;
}

/** @type {{key: string, way: number[][]}} the way that was asked for last: it is drawn with every frame */
let last = { key: "", way: [] };

/**
 * A whole track, as far as its segments are in memory.
 * @param {Boxes} boxes @param {{group: string, track_id: number}} track
 * @returns {number[][]} x, y, seq
 */
export function wayOf(boxes, { group, track_id }) {
  const loaded = boxes.loaded(group);
  const key = `${boxes.version} ${group}:${track_id} ${loaded}`;
  if (key === last.key) return last.way;
  /** @type {number[][]} */
  const way = [];
  for (const first of loaded) {
    boxes.each(group, first, first + 127, (segment, at, seq) => {
      if (segment.track[at] === track_id) way.push([...foot(segment, at), seq]);
    });
  }
  last = { key, way };
  return way;
}
