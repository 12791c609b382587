// Verdicts on their way to the service: one after the other, at once, and kept where one could not be written.

import { askJson, Refused } from "../api.js";

/**
 * @typedef {{verdict: string, event?: string} & Record<string, unknown>} Body
 * @typedef {{body: Body, what: string, why: string}} Failed
 */

const SAID = new Map([["accept", "accepted"], ["reject", "rejected"], ["withdraw", null]]);

export class Verdicts {
  /** @type {Map<string, Body>} by event: not answered yet */
  #waiting = new Map();
  /** @type {Map<string, Failed>} by event */
  failed = new Map();
  #chain = Promise.resolve();

  /**
   * @param {import("../state.js").State} state
   * @param {() => void} changed called when one was said, answered or failed
   */
  constructor(state, changed) {
    this.state = state;
    this.changed = changed;
    addEventListener("beforeunload", (e) => {
      if (this.#waiting.size || this.failed.size) e.preventDefault();
    });
  }

  /** @param {Body} body @param {string} what in words */
  say(body, what) {
    const key = body.event ?? JSON.stringify(body);
    this.failed.delete(key);
    this.#waiting.set(key, body);
    this.#chain = this.#chain.then(() => this.#send(key, body, what));
    this.changed();
  }

  /** Say everything again that could not be written. */
  again() {
    for (const { body, what } of [...this.failed.values()]) this.say(body, what);
  }

  /** What is known of an event, with what is on its way. @param {import("./audit_facts.js").Event} event */
  of(event) {
    const waiting = this.#waiting.get(event.id);
    return waiting ? { ...event, said: SAID.get(waiting.verdict) ?? null, by: null, at: null } : event;
  }

  /** @param {string} key @param {Body} body @param {string} what */
  async #send(key, body, what) {
    try {
      const audit = await askJson(`/jobs/${this.state.values.job.job_id}/verdicts`, { method: "POST", json: body });
      this.#done(key, body);
      this.state.set({ audit: { ...audit, by_bin: null } }); // intervals are asked for anew
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#done(key, body);
      this.failed.set(key, { body, what, why: error.why });
    }
    this.changed();
  }

  /** A newer verdict on the same event still waits. @param {string} key @param {Body} body */
  #done(key, body) {
    if (this.#waiting.get(key) === body) this.#waiting.delete(key);
  }
}
