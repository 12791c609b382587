// Counts and warnings of finished jobs: asked for when their row comes into sight, two at a time, once.

import { Refused, askJson } from "../api.js";

/** @typedef {import("./job-row.js").Detail} Detail */

const AT_ONCE = 2;
const LATER_MS = 5000;
const PASSING = new Set([0, 429, 503]);

export class Details {
  /** @type {Map<string, Detail>} */
  known = new Map();
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {string[]} */
  #wanted = [];
  #asking = 0;
  #seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** Ask for the job of a row once it is in sight. @param {HTMLElement} el of the row, whose key is the job's id */
  want(el) {
    if (!this.#asked.has(el.dataset.key ?? "")) this.#seen.observe(el);
  }

  /** Whoever could not say it is up again, mostly. @param {string} id */
  #again(id) {
    this.#asked.delete(id);
    this.changed();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      const id = /** @type {HTMLElement} */ (target).dataset.key ?? "";
      this.#seen.unobserve(target);
      if (!this.#asked.has(id)) this.#wanted.push(id);
      this.#asked.add(id);
    }
    this.#next();
  }

  #next() {
    while (this.#asking < AT_ONCE && this.#wanted.length) this.#ask(/** @type {string} */ (this.#wanted.shift()));
  }

  /** @param {string} id */
  async #ask(id) {
    this.#asking += 1;
    try {
      this.known.set(id, await detailOf(id));
      this.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (PASSING.has(error.status)) setTimeout(() => this.#again(id), LATER_MS);
    } finally {
      this.#asking -= 1;
      this.#next();
    }
  }
}

/** @param {string} id @returns {Promise<Detail>} `frames` is null where the manifest is damaged or being removed, `counts` then and for a job without tracks */
async function detailOf(id) {
  const job = await askJson(`/jobs/${id}`);
  const overview = job.tracked && job.counts ? await askJson(`/jobs/${id}/overview?bins=1`) : null;
  return { counts: overview?.groups ?? null, frames: job.counts?.frames ?? null, warnings: job.warnings };
}
