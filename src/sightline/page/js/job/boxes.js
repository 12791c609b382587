// Boxes of the frames around the one that is shown: segments, fetched ahead, forgotten behind.

import { ask, Refused } from "../api.js";
import { decodeSegment } from "./segments.js";

/** @typedef {import("./segments.js").Segment} Segment */
/** @typedef {import("./frames.js").Frames} Frames */
/** @typedef {{group: string, label: string, track_id: number, x1: number, y1: number, x2: number, y2: number, confidence: number, origin: number}} Box */

export const LENGTH = 128; // frames of a segment
export const MOST = 48; // segments in memory
const AHEAD_US = 10e6;
const BEHIND_US = 2e6;

/**
 * The streams that have a job's boxes, one a group.
 * @param {{state: string, tracked: boolean, groups: {name: string}[]}} job
 * @returns {[string, string][]} group and stream
 */
export function streamsOf({ state, tracked, groups }) {
  const kind = !tracked ? "detections" : state === "ready" ? "published" : "tracks";
  return groups.map(({ name }) => [name, `${kind}:${name}`]);
}

/**
 * First frames (seq) of the segments that are wanted around a row, the nearest first.
 * @param {Frames} frames
 * @param {number} row
 */
export function wantedAround(frames, row) {
  const { pts, seq, n } = frames;
  const here = sampledFrom(frames, row);
  if (here < 0) return [];
  let [low, high] = [row, row];
  while (low > 0 && pts[row] - pts[low - 1] <= BEHIND_US) low--;
  while (high < n - 1 && pts[high + 1] - pts[row] <= AHEAD_US) high++;
  const from = sampledFrom(frames, low);
  let to = here;
  for (let i = high; i > row; i--) {
    if (seq[i] >= 0) {
      to = seq[i];
      break;
    }
  }
  const first = (/** @type {number} */ s) => s - (s % LENGTH);
  const found = [];
  for (let s = first(here); s <= to; s += LENGTH) found.push(s);
  for (let s = first(here) - LENGTH; s >= first(from); s -= LENGTH) found.push(s);
  return found;
}

/** Seq of the first sampled frame from a row on; of the last before where there is none; -1 where nothing was sampled. */
function sampledFrom(/** @type {Frames} */ { seq, n }, /** @type {number} */ row) {
  for (let i = row; i < n; i++) if (seq[i] >= 0) return seq[i];
  for (let i = row; i >= 0; i--) if (seq[i] >= 0) return seq[i];
  return -1;
}

/** Segments of a job that are in memory. */
export class Boxes {
  /** @type {Map<string, Segment | null | "asked">} null: the job has none of these, it ended before; in order of use */
  #held = new Map();
  /** @type {[string, string][]} */
  #streams = [];
  /** @type {Map<string, Map<number, string>>} */
  #labels = new Map();
  /** @type {number[]} */
  #wanted = [];
  #sampled = 0;
  #ahead = 0;

  /**
   * @param {string} job_id
   * @param {() => void} arrived called when a segment came
   * @param {(error: Error) => void} failed
   */
  constructor(job_id, arrived, failed) {
    this.job_id = job_id;
    this.arrived = arrived;
    this.failed = failed;
    this.version = 0;
  }

  /** How many segments are in memory. */
  get size() {
    return this.#held.size;
  }

  /**
   * @param {{state: string, tracked: boolean, sampled: number, groups: {name: string, labels: {class_id: number, label: string}[]}[]}} job
   * @param {number} ahead how many sampled frames have boxes
   */
  follow(job, ahead) {
    const streams = streamsOf(job);
    this.#sampled = job.sampled;
    this.#ahead = ahead;
    if (String(streams) === String(this.#streams)) return this.retry();
    this.#streams = streams;
    this.#labels = new Map(job.groups.map(({ name, labels }) => [name, new Map(labels.map((each) => [each.class_id, each.label]))]));
    this.#held.clear();
    this.version++;
    this.retry();
  }

  /** Fetch what is not there of the segments around a row. @param {Frames} frames @param {number} row */
  around(frames, row) {
    this.#wanted = wantedAround(frames, row);
    this.retry();
  }

  /** Ask again for what is wanted and was not there yet. */
  retry() {
    for (const first of this.#wanted) {
      // A segment is there once its last frame is.
      if (Math.min(first + LENGTH, this.#sampled) > this.#ahead) continue;
      for (const [, stream] of this.#streams) this.#fetch(stream, first);
    }
    // Those around the row were used last, so what is forgotten lies elsewhere.
    for (const key of this.#held.keys()) {
      if (this.#held.size <= MOST) break;
      if (this.#held.get(key) !== "asked") this.#held.delete(key);
    }
  }

  async #fetch(/** @type {string} */ stream, /** @type {number} */ first) {
    const key = `${stream}/${first}`;
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, known);
      return;
    }
    this.#held.set(key, "asked");
    const version = this.version;
    /** @type {Segment | null} */
    let came = null;
    try {
      const answer = await ask(`/jobs/${this.job_id}/segments/${encodeURIComponent(stream)}/${first}`);
      came = decodeSegment(await answer.arrayBuffer());
    } catch (error) {
      if (version !== this.version) return;
      // 404: the job ended before it had them. Otherwise they come later, and are asked for again then.
      if (!(error instanceof Refused) || error.status !== 404) {
        this.#held.delete(key);
        if (!(error instanceof Refused) || (error.status !== 409 && error.status !== 429)) this.failed(/** @type {Error} */ (error));
        return;
      }
    }
    if (version !== this.version) return; // other streams are followed meanwhile
    this.#held.set(key, came);
    this.arrived();
  }

  /** @param {string} stream @param {number} seq @returns {Segment | null | undefined} undefined: not there yet */
  #segment(stream, seq) {
    const found = this.#held.get(`${stream}/${seq - (seq % LENGTH)}`);
    return found === "asked" ? undefined : found;
  }

  /**
   * Boxes of a sampled frame.
   * @param {number} seq
   * @returns {Box[] | null} null while some are not there
   */
  at(seq) {
    const found = [];
    for (const [group, stream] of this.#streams) {
      const segment = this.#segment(stream, seq);
      if (!segment) return null;
      const i = seq - segment.first;
      if (i >= segment.n) return null;
      const labels = this.#labels.get(group);
      for (let row = segment.starts[i]; row < segment.starts[i + 1]; row++) {
        const [x1, y1, x2, y2] = segment.box.subarray(4 * row, 4 * row + 4);
        found.push({ group, label: labels?.get(segment.label[row]) ?? "", track_id: segment.track[row], x1, y1, x2, y2, confidence: segment.confidence[row], origin: segment.origin[row] });
      }
    }
    return found;
  }

  /**
   * Every row of the segments in memory from one seq to another, in order.
   * @param {string} group @param {number} from @param {number} to with it
   * @param {(segment: Segment, row: number, seq: number) => void} visit
   */
  each(group, from, to, visit) {
    const stream = this.#streams.find(([name]) => name === group)?.[1];
    if (stream === undefined) return;
    for (let first = from - (from % LENGTH); first <= to; first += LENGTH) {
      const segment = this.#segment(stream, first);
      if (!segment) continue;
      const [low, high] = [Math.max(from, first) - first, Math.min(to - first, segment.n - 1)];
      for (let i = low; i <= high; i++) for (let row = segment.starts[i]; row < segment.starts[i + 1]; row++) visit(segment, row, first + i);
    }
  }

  /** First seqs of the segments of a group in memory, rising. @param {string} group */
  loaded(group) {
    const stream = this.#streams.find(([name]) => name === group)?.[1];
    const found = [];
    for (const [key, segment] of this.#held) {
      if (segment && segment !== "asked" && key.startsWith(`${stream}/`)) found.push(segment.first);
    }
    return found.sort((a, b) => a - b);
  }
}
