// The frames of a source: when each is shown, and which of them were looked at. Pure.

/**
 * @typedef {object} Frames
 * @property {number} n how many
 * @property {Float64Array} pts microseconds from the first frame, rising
 * @property {Float64Array} frame numbers in the source, rising
 * @property {Int32Array} seq number among the sampled frames, -1 where a frame was not looked at
 * @property {Uint8Array} failed 1 where it is known that a frame cannot be decoded
 * @property {number} mediaStart microseconds: what a player calls the time of the first frame
 * @property {number} duration microseconds
 */

const MAGIC = "SLFRAMES";
const HEAD = 40;

/**
 * Read `/api/v1/jobs/ID/index`.
 * @param {ArrayBuffer} buffer
 * @returns {Frames}
 * @throws {Error} it is something else
 */
export function decodeFrames(buffer) {
  const view = new DataView(buffer);
  const magic = buffer.byteLength >= HEAD ? String.fromCharCode(...new Uint8Array(buffer, 0, 8)) : "";
  if (magic !== MAGIC || view.getUint32(8, true) !== 1) throw new Error("These are no frames, or of a newer version.");
  const n = Number(view.getBigInt64(16, true));
  let at = HEAD;
  const wide = () => {
    const column = Float64Array.from(new BigInt64Array(buffer, at, n), Number);
    at += 8 * n;
    return column;
  };
  const [pts, frame] = [wide(), wide()];
  const seq = new Int32Array(buffer, at, n);
  at += 4 * n;
  const failed = new Uint8Array(buffer, at, n);
  return { n, pts, frame, seq, failed, mediaStart: Number(view.getBigInt64(24, true)), duration: Number(view.getBigInt64(32, true)) };
}

/**
 * The row that is shown at a time: the last one that has begun.
 * @param {Float64Array} pts
 * @param {number} us
 * @param {number} [slack] microseconds by which players round times
 */
export function rowAt(pts, us, slack = 500) {
  let low = 0;
  let high = pts.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (pts[mid] <= us + slack) low = mid;
    else high = mid - 1;
  }
  return low;
}
