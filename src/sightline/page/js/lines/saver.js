// Keeps what is drawn: after a moment of rest, with the revision that was seen, again where it failed. Pure; who stores is given.

/**
 * @template B
 * @typedef {object} Store
 * @property {(body: B, revision: number) => Promise<{revision: number}>} put
 * @property {() => Promise<{body: B, revision: number}>} get what is stored now
 * @property {(error: unknown) => "changed" | "again" | "refused"} judge what a failure means
 * @property {(said: Said<B>) => void} said called with each change of where things stand
 */

/**
 * @template B
 * @typedef {{state: "saved" | "saving"} | {state: "failed", error: unknown, again: boolean} | {state: "changed", theirs: B}} Said
 */

const REST_MS = 400;
const AGAIN_MS = [2000, 5000, 10000, 30000];

/** @template B */
export class Saver {
  /** @type {B | null} */
  #wanted = null;
  #stored = "";
  #sending = false;
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{body: B, revision: number} | null} */
  #theirs = null;

  /** @param {Store<B>} store @param {B} body as it is stored @param {number} revision of it */
  constructor(store, body, revision) {
    this.store = store;
    this.revision = revision;
    this.#stored = JSON.stringify(body);
  }

  /** What is not stored yet; null where all is. */
  get wanted() {
    return this.#wanted;
  }

  /** @param {B} body what is drawn now */
  change(body) {
    this.#wanted = body;
    if (this.#theirs) return;
    this.#tries = 0;
    this.#later(REST_MS);
  }

  /** Do not wait: a page is left, or somebody asked. */
  now() {
    if (this.#wanted && !this.#theirs) this.#later(0);
  }

  /** Something else has stored this. @param {B} body @param {number} revision */
  seen(body, revision) {
    clearTimeout(this.#timer);
    [this.#wanted, this.#theirs, this.revision, this.#stored] = [null, null, revision, JSON.stringify(body)];
    this.store.said({ state: "saved" });
  }

  /** After "changed": store what is drawn here in place of theirs. */
  keepMine() {
    if (!this.#theirs) return;
    this.revision = this.#theirs.revision;
    this.#theirs = null;
    this.#later(0);
  }

  /** After "changed": give up what is drawn here. @returns {B | null} theirs */
  takeTheirs() {
    const theirs = this.#theirs;
    if (!theirs) return null;
    this.seen(theirs.body, theirs.revision);
    return theirs.body;
  }

  /** @param {number} ms */
  #later(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  async #send() {
    if (this.#sending || this.#wanted === null) return;
    const body = this.#wanted;
    const text = JSON.stringify(body);
    if (text === this.#stored) return this.seen(body, this.revision);
    this.#sending = true;
    this.store.said({ state: "saving" });
    try {
      const { revision } = await this.store.put(body, this.revision);
      [this.revision, this.#stored, this.#tries] = [revision, text, 0];
      if (this.#wanted === body) this.seen(body, revision);
    } catch (error) {
      await this.#failed(error, text);
    } finally {
      this.#sending = false;
    }
    if (this.#wanted !== null && this.#wanted !== body && !this.#theirs) this.#later(REST_MS);
  }

  /** @param {unknown} error @param {string} text that was sent */
  async #failed(error, text) {
    const meaning = this.store.judge(error);
    if (meaning !== "changed") return this.#wait(error, meaning === "again");
    try {
      const theirs = await this.store.get();
      if (JSON.stringify(theirs.body) === text) {
        [this.revision, this.#stored] = [theirs.revision, text]; // it was ours: its answer was lost
        return this.#later(0);
      }
      this.#theirs = theirs;
      this.store.said({ state: "changed", theirs: theirs.body });
    } catch (failure) {
      this.#wait(failure, true);
    }
  }

  /** @param {unknown} error @param {boolean} again */
  #wait(error, again) {
    this.store.said({ state: "failed", error, again });
    if (again) this.#later(AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
  }
}
