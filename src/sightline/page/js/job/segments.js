// Column segments as the service stores them: boxes of 128 frames of a stream. Pure; see `sightline.formats.segments`.

/**
 * @typedef {object} Segment
 * @property {number} first seq of its first frame
 * @property {number} n frames
 * @property {Float64Array} frame numbers in the source, by frame
 * @property {Uint8Array} outcome by frame: 0 ok, 1 failed, 2 skipped
 * @property {Int32Array} starts by frame, and one more: the rows of frame i are starts[i] to starts[i + 1]
 * @property {Float64Array} track by row
 * @property {Float64Array} label by row: id of the class
 * @property {Float64Array} box by row: x1 y1 x2 y2, pixels of the source
 * @property {Float64Array} confidence by row
 * @property {Uint8Array} origin by row
 */

const MAGIC = "SLSEGMNT";
const HEAD = 40;
const VERSIONS = [1, 2]; // 2 has, behind the rest, how the camera moved
const padded = (/** @type {number} */ n) => (n + 7) & ~7;

/**
 * @param {ArrayBuffer} buffer
 * @returns {Segment}
 * @throws {Error} it is something else
 */
export function decodeSegment(buffer) {
  const view = new DataView(buffer);
  const magic = buffer.byteLength >= HEAD ? String.fromCharCode(...new Uint8Array(buffer, 0, 8)) : "";
  if (magic !== MAGIC || !VERSIONS.includes(view.getUint16(8, true))) throw new Error("This is no segment, or one of a newer version.");
  if (view.getUint16(10, true) === 3) throw new Error("A segment of totals has no boxes.");
  const [first, n, rows] = [16, 24, 32].map((offset) => Number(view.getBigInt64(offset, true)));
  let at = HEAD;
  const take = (/** @type {number} */ bytes) => {
    const here = at;
    at += padded(bytes);
    return here;
  };
  const whole = (/** @type {number} */ count) => Float64Array.from(new BigInt64Array(buffer, take(8 * count), count), Number);
  const frame = whole(n);
  take(8 * n); // pts_us: the index of frames has them
  take(4 * n); // reasons
  const outcome = new Uint8Array(buffer, take(n), n);
  const seq = whole(rows);
  const [track, label] = [whole(rows), whole(rows)];
  const box = new Float64Array(buffer, take(32 * rows), 4 * rows);
  const confidence = new Float64Array(buffer, take(8 * rows), rows);
  const origin = new Uint8Array(buffer, take(rows), rows);
  return { first, n, frame, outcome, starts: starts(seq, first, n), track, label, box, confidence, origin };
}

/** Rows are sorted by seq; boxes from before the segment belong to none of its frames. */
function starts(/** @type {Float64Array} */ seq, /** @type {number} */ first, /** @type {number} */ n) {
  const found = new Int32Array(n + 1);
  let row = 0;
  for (let i = 0; i <= n; i++) {
    while (row < seq.length && seq[row] < first + i) row++;
    found[i] = row;
  }
  return found;
}
