// The jobs that the page knows, and how what comes in changes them. Pure.
//
// They come in three ways: pages that were asked for, events of those that changed, answers to what somebody did here.

/** @typedef {{job_id: string, name: string, state: string, created_at: string, code: string, reason: string, pipeline: string,
 *   source: any, progress: Record<string, {done: number, total: number}>, times: Record<string, string>}} Job */
/** @typedef {{name: string, states: string[], word: string}} View */

export const WAITING = ["new", "sent"];
export const ACTIVE = [...WAITING, "processing", "predictable"];

/** What can be looked at: everything, or what is in some states. @type {View[]} */
export const VIEWS = [
  { name: "all", states: [], word: "All" },
  { name: "active", states: ACTIVE, word: "Active" },
  { name: "ready", states: ["ready"], word: "Ready" },
  { name: "failed", states: ["failed"], word: "Failed" },
  { name: "cancelled", states: ["cancelled"], word: "Cancelled" },
];

/** @param {string} name */
export const viewOf = (name) => VIEWS.find((view) => view.name === name) ?? VIEWS[0];

/** Newest first, as the service lists them. @param {Job} a @param {Job} b */
export function newest(a, b) {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.job_id < b.job_id ? 1 : -1;
}

/** @param {Job} job @param {{states: string[], name: string}} wanted */
export function fits(job, { states, name }) {
  return (!states.length || states.includes(job.state)) && job.name.toLowerCase().includes(name.toLowerCase());
}

/** Reason of a job that somebody removed: events tell of it once more. */
const REMOVED = "removed";

/** Jobs by id, with what of the list was asked for so far. */
export class Jobs {
  /** @type {Map<string, Job>} */
  byId = new Map();
  /** Removed, here or elsewhere: what was under way brings none of them back. @type {Set<string>} */
  #removed = new Set();
  /** Time of the oldest job of the pages so far; older ones wait for their page. @type {string | null} */
  #horizon = null;

  /**
   * Take jobs over.
   * @param {Job[]} items
   * @returns {{job: Job, before: string}[]} those whose state changed, with the one before
   */
  merge(items) {
    const changed = [];
    for (const job of items) {
      if (job.state === "cancelled" && job.reason === REMOVED) this.remove(job.job_id);
      if (this.#removed.has(job.job_id)) continue;
      const known = this.byId.get(job.job_id);
      if (known && rank(job) < rank(known)) continue; // an answer that was overtaken
      if (known && known.state !== job.state) changed.push({ job, before: known.state });
      this.byId.set(job.job_id, job);
    }
    return changed;
  }

  /** @param {Record<string, Job["progress"]>} progress by job */
  progress(progress) {
    for (const [id, stages] of Object.entries(progress)) {
      const job = this.byId.get(id);
      if (job) this.byId.set(id, { ...job, progress: stages });
    }
  }

  /**
   * Take the first page over: what should be on it and is not has gone.
   * @param {Job[]} items @param {boolean} whole whether nothing follows @param {{states: string[], name: string}} wanted
   */
  first(items, whole, wanted) {
    const there = new Set(items.map((job) => job.job_id));
    const last = whole ? null : items.at(-1);
    for (const job of this.byId.values()) {
      const covered = whole || (last !== null && last !== undefined && newest(job, last) < 0);
      if (covered && fits(job, wanted) && !there.has(job.job_id)) this.byId.delete(job.job_id);
    }
    const changed = this.merge(items);
    if (whole) this.#horizon = "";
    else if (this.#horizon === null) this.#horizon = items.at(-1)?.created_at ?? null;
    return changed;
  }

  /** Take a further page over. @param {Job[]} items @param {boolean} whole */
  more(items, whole) {
    this.merge(items);
    this.#horizon = whole ? "" : (items.at(-1)?.created_at ?? this.#horizon);
  }

  /** Something else is looked at: its pages come anew. */
  restart() {
    this.#horizon = null;
  }

  /** @param {string} id */
  remove(id) {
    this.#removed.add(id);
    this.byId.delete(id);
  }

  /**
   * Those of a view, newest first.
   * @param {{states: string[], name: string}} wanted
   * @returns {Job[]}
   */
  shown(wanted) {
    const since = this.#horizon ?? "";
    return [...this.byId.values()].filter((job) => job.created_at >= since && fits(job, wanted)).sort(newest);
  }

  /** Place of each job that waits, from 1: the oldest is next. @returns {Map<string, number>} */
  places() {
    const waiting = [...this.byId.values()].filter((job) => WAITING.includes(job.state)).sort(newest).reverse();
    return new Map(waiting.map((job, i) => [job.job_id, i + 1]));
  }

  /**
   * Those that were under way when somebody last said so, and are not among those that are: nobody told how they ended.
   * @param {Job[]} active all that are under way
   * @returns {string[]} ids
   */
  untold(active) {
    const told = new Set(active.map((job) => job.job_id));
    return [...this.byId.values()].filter((job) => ACTIVE.includes(job.state) && !told.has(job.job_id)).map((job) => job.job_id);
  }

  /** How many are under way, of those that are known. */
  active() {
    return [...this.byId.values()].filter((job) => ACTIVE.includes(job.state)).length;
  }
}

const RANKS = ["new", "sent", "processing", "predictable", "ready", "failed", "cancelled"];

/** States only move on, so that of two answers about a job the one that is further is the newer. @param {Job} job */
function rank(job) {
  return Math.min(RANKS.indexOf(job.state), 4);
}
