// What was drawn before, and what was taken back. Pure.

/** @typedef {import("./geometry.js").Shape} Shape */

const MOST = 200;
const ONE_STEP_MS = 1000;

export class History {
  /** @type {Shape[][]} */
  #past = [];
  /** @type {Shape[][]} */
  #future = [];
  #tag = "";
  #at = 0;

  /**
   * Remember shapes as they were before a change.
   * @param {Shape[]} before
   * @param {string} [tag] changes of one tag that follow each other quickly are one step: a key held down
   * @param {number} [now] milliseconds
   */
  record(before, tag = "", now = Date.now()) {
    const goesOn = tag !== "" && tag === this.#tag && now - this.#at < ONE_STEP_MS;
    [this.#tag, this.#at, this.#future] = [tag, now, []];
    if (goesOn) return;
    this.#past.push(before);
    if (this.#past.length > MOST) this.#past.shift();
  }

  /** @param {Shape[]} now @returns {Shape[] | null} what was there before; null where nothing is to be taken back */
  undo(now) {
    return this.#step(this.#past, this.#future, now);
  }

  /** @param {Shape[]} now @returns {Shape[] | null} what was taken back */
  redo(now) {
    return this.#step(this.#future, this.#past, now);
  }

  /** @param {Shape[][]} from @param {Shape[][]} to @param {Shape[]} now */
  #step(from, to, now) {
    this.#tag = "";
    const found = from.pop();
    if (!found) return null;
    to.push(now);
    return found;
  }
}
