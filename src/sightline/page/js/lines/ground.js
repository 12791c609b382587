// The ground as a camera that moves has seen it: where what was drawn on one frame is in another. Pure.

/** @typedef {import("./geometry.js").Point} Point */

/**
 * @typedef {object} Path where points of the ground are in each sampled frame; see `sightline.formats.camera_bin`
 * @property {Float64Array} maps a, b, x, y by seq, from the first frame of the stretch, in pixels of the source
 * @property {Float64Array} stretch by seq: frames of one number have ground in common
 */

const MAGIC = "SLCAMERA";
const HEAD = 24;

/**
 * Read `/api/v1/jobs/ID/camera`.
 * @param {ArrayBuffer} buffer
 * @returns {Path}
 * @throws {Error} it is something else
 */
export function decodePath(buffer) {
  const view = new DataView(buffer);
  const magic = buffer.byteLength >= HEAD ? String.fromCharCode(...new Uint8Array(buffer, 0, 8)) : "";
  if (magic !== MAGIC || view.getUint16(8, true) !== 1) throw new Error("This is no path of a camera, or one of a newer version.");
  const n = Number(view.getBigInt64(16, true));
  return { maps: new Float64Array(buffer, HEAD, 4 * n), stretch: Float64Array.from(new BigInt64Array(buffer, HEAD + 32 * n, n), Number) };
}

/**
 * From one frame to another: a, b, x, y; null where nothing leads there.
 * @param {Path} path
 * @param {number} before seq
 * @param {number} after seq
 */
export function between({ maps, stretch }, before, after) {
  if (stretch[before] !== stretch[after]) return null;
  const [p, q] = [4 * before, 4 * after];
  const size = maps[p] ** 2 + maps[p + 1] ** 2;
  const a = (maps[q] * maps[p] + maps[q + 1] * maps[p + 1]) / size;
  const b = (maps[q + 1] * maps[p] - maps[q] * maps[p + 1]) / size;
  return [a, b, maps[q + 2] - a * maps[p + 2] + b * maps[p + 3], maps[q + 3] - b * maps[p + 2] - a * maps[p + 3]];
}

/** Where a point goes. @param {number[]} motion @param {number} px @param {number} py pixels @returns {[number, number]} */
const moved = ([a, b, x, y], px, py) => [a * px - b * py + x, b * px + a * py + y];

export class Ground {
  /**
   * @param {import("../job/frames.js").Frames} frames
   * @param {{width: number, height: number}} size of the picture, pixels
   * @param {Path | null} [path] null: the camera is not known to have moved; without it nobody can know yet
   */
  constructor(frames, size, path) {
    this.frames = frames;
    this.size = size;
    this.path = path;
  }

  /** Whether it matters on which frame a line was drawn. */
  get moves() {
    return Boolean(this.path);
  }

  /** The frame that is drawn on while a row is shown; undefined where that is the first one, or all are alike. @param {number} row */
  drawnOn(row) {
    if (this.path === null) return undefined;
    const at = this.#sampled(row);
    return at === this.#sampled(0) ? undefined : this.frames.frame[at];
  }

  /** Number of the frame that something was drawn on. @param {number | undefined} frame */
  frameOf(frame) {
    return frame ?? this.frames.frame[this.#sampled(0)];
  }

  /**
   * Where points are while a row is shown; null where they cannot be followed.
   * @param {Point[]} points 0..1 of the picture that they were drawn on
   * @param {number | undefined} frame of that
   * @param {number} row
   * @returns {Point[] | null} 0..1 of the picture that is shown
   */
  seen(points, frame, row) {
    if (!this.path) return points;
    const [before, after] = [this.#seqOf(frame), this.frames.seq[this.#sampled(row)]];
    if (before === after) return points;
    const motion = before < 0 ? null : between(this.path, before, after);
    if (!motion) return null;
    const { width, height } = this.size;
    return points.map(([px, py]) => {
      const [x, y] = moved(motion, px * width, py * height);
      return [x / width, y / height];
    });
  }

  /**
   * Where points of sampled frames are while a row is shown; those that cannot be followed are left out.
   * @param {number[][]} points x and y in pixels, seq
   * @param {number} row
   * @returns {number[][]} the same
   */
  followed(points, row) {
    const { path } = this;
    if (!path) return points;
    const now = this.frames.seq[this.#sampled(row)];
    /** @type {number[][]} */
    const seen = [];
    for (const [px, py, seq] of points) {
      const motion = between(path, seq, now);
      if (motion) seen.push([...moved(motion, px, py), seq]);
    }
    return seen;
  }

  /** The row of the last sampled frame up to a row, of which the camera's place is known; of the first one before that. @param {number} row */
  #sampled(row) {
    const { n, seq } = this.frames;
    let at = row;
    while (at > 0 && seq[at] < 0) at--;
    while (at < n - 1 && seq[at] < 0) at++;
    return at;
  }

  /** @param {number | undefined} number of a frame @returns {number} its seq; -1 of one that was not sampled */
  #seqOf(number) {
    if (number === undefined) return 0;
    const { n, frame, seq } = this.frames;
    let [low, high] = [0, n];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (frame[mid] < number) low = mid + 1;
      else high = mid;
    }
    return frame[low] === number ? seq[low] : -1;
  }
}
