// The queue of files: two are sent at once, each until it is a job. What is unfinished when the page goes is remembered.

import { ask } from "../api.js";
import { store, stored } from "../ui.js";
import { Rate } from "./rate.js";
import { printOf, Remembered } from "./remembered.js";
import { transport, wait } from "./transport.js";
import { Failed, Tus, failure, pause } from "./tus.js";

/** @typedef {{pipeline: string, name: string, clock_start: string}} Options */
/** @typedef {"waiting" | "sending" | "checking" | "trying" | "refused" | "unfinished"} Stage */
/**
 * A file on its way. `sent`: bytes that went out; `until`: when the next try is.
 * @typedef {{key: string, name: string, size: number, file: File | null, print: string, url: string, options: Options, stage: Stage,
 *   sent: number, rate: Rate, error: Failed | null, until: number, stop: AbortController}} Item
 */

const AT_ONCE = 2;
const LAST_TRIES = 10;

export class Uploads {
  /** @type {Item[]} */
  items = [];
  #made = 0;
  #notes = new Remembered({ read: () => stored("uploads", {}), write: (notes) => store("uploads", notes) });

  /**
   * @param {() => void} changed something of an item is new
   * @param {(item: Item, jobId: string) => Promise<void>} done an item became a job; it goes once this has ended
   */
  constructor(changed, done) {
    this.changed = changed;
    this.done = done;
  }

  /** How many are on their way. */
  get busy() {
    return this.items.filter((item) => ["waiting", "sending", "checking", "trying"].includes(item.stage)).length;
  }

  /** Show what an earlier visit left unfinished, as far as the service still has it. */
  async recall() {
    const items = this.#notes.all().map(([print, note]) => this.#item({ ...note, print, file: null, stage: "unfinished" }));
    this.items.push(...items);
    await Promise.all(items.map((item) => this.#settle(item)));
  }

  /**
   * Find out what became of an upload. Its last piece may have arrived as the page went: the service then still looks into it.
   * @param {Item} item
   */
  async #settle(item) {
    const signal = item.stop.signal;
    const open = () => this.items.includes(item) && item.stage === "unfinished";
    for (let tries = 1; open(); tries++) {
      const answer = await transport("HEAD", item.url, { headers: TUS, signal }).catch((error) => (signal.aborted ? null : away(error)));
      if (!open()) return;
      if (answer?.status === 404 || answer?.header("Location")) this.#drop(item);
      else if (answer?.status === 200) item.sent = Number(answer.header("Upload-Offset"));
      this.changed();
      if (answer !== null && !failure(answer).passing) return;
      await wait(pause(tries, Math.random()), signal).catch(() => {}); // given up meanwhile: it is not open any more
    }
  }

  /**
   * The upload that a file was begun as, if it is known here.
   * @param {File} file
   */
  async known(file) {
    const print = await printOf(file);
    const item = this.items.find((each) => each.print === print && each.stage !== "refused");
    const note = this.#notes.get(print);
    return { print, item, note };
  }

  /**
   * Send a file, or go on with it.
   * @param {File} file @param {Options} options those that it was begun with hold
   */
  async add(file, options) {
    const { print, item, note } = await this.known(file);
    if (item && item.stage !== "unfinished") return item;
    const made = item ?? this.#item({ name: file.name, size: file.size, url: note?.url ?? "", print, file, options: note?.options ?? options, stage: "waiting" });
    Object.assign(made, { file, stage: "waiting" });
    if (!item) this.items.push(made);
    this.#next();
    return made;
  }

  /** @param {Item} item one that was refused */
  retry(item) {
    Object.assign(item, { stage: "waiting", error: null, stop: new AbortController() });
    this.#next();
  }

  /**
   * Give one up. What is there of it goes; where it became a job meanwhile, that is cancelled.
   * @param {Item} item
   */
  async cancel(item) {
    item.stop.abort();
    this.#drop(item);
    this.#next();
    if (item.url) await this.#remove(item.url);
  }

  /** @param {Partial<Item> & {name: string, size: number, print: string, url: string, file: File | null, options: Options, stage: Stage}} given @returns {Item} */
  #item(given) {
    this.#made += 1;
    return { key: `upload-${this.#made}`, sent: 0, rate: new Rate(), error: null, until: 0, stop: new AbortController(), ...given };
  }

  /** @param {Item} item */
  #drop(item) {
    this.items = this.items.filter((each) => each !== item);
    if (item.print) this.#notes.forget(item.print);
    this.changed();
  }

  #next() {
    const running = this.items.filter((item) => ["sending", "checking", "trying"].includes(item.stage)).length;
    const waiting = this.items.filter((item) => item.stage === "waiting");
    for (const item of waiting.slice(0, Math.max(0, AT_ONCE - running))) this.#send(item);
    this.changed();
  }

  /** @param {Item} item */
  async #send(item) {
    item.stage = "sending";
    const file = /** @type {File} */ (item.file);
    const about = { filename: file.name, ...item.options };
    const tus = new Tus({ file, about, transport, wait, url: item.url, on: this.#listeners(item) });
    try {
      const jobId = await tus.run(item.stop.signal);
      this.#notes.forget(item.print);
      item.stage = "checking";
      await this.done(item, jobId);
      this.#drop(item);
    } catch (error) {
      if (item.stop.signal.aborted) return;
      if (!(error instanceof Failed)) throw error;
      Object.assign(item, { stage: "refused", error });
      if (![401, 403, 429].includes(error.status)) {
        item.url = "";
        this.#notes.forget(item.print);
      }
    } finally {
      this.#next();
    }
  }

  /** @param {Item} item @returns {import("./tus.js").Listeners} */
  #listeners(item) {
    const at = (/** @type {number} */ sent) => {
      Object.assign(item, { sent, stage: sent >= item.size ? "checking" : "sending" });
      item.rate.add(performance.now(), sent);
      this.changed();
    };
    return {
      created: (url) => {
        item.url = url;
        this.#notes.keep(item.print, item);
      },
      sent: at,
      kept: (offset) => {
        this.#notes.keep(item.print, item);
        at(offset);
      },
      failed: (error, ms) => {
        if (ms === 0) return;
        Object.assign(item, { stage: "trying", error, until: Date.now() + ms });
        this.changed();
      },
      lost: () => {
        item.url = "";
        this.#notes.forget(item.print);
      },
    };
  }

  /** Tell the service that nobody wants it any more. What it does not hear it forgets after a day. @param {string} url */
  async #remove(url) {
    const signal = new AbortController().signal;
    for (let tries = 1; tries <= LAST_TRIES; tries++) {
      const answer = await transport("DELETE", url, { headers: TUS, signal }).catch(away);
      if (answer?.status === 404) return this.#cancelJob(url);
      if (answer !== null && !failure(answer).passing) return;
      await wait(300 * tries, signal); // the piece that was under way has not ended yet
    }
  }

  /** @param {string} url of an upload that is none any more */
  async #cancelJob(url) {
    const answer = await transport("HEAD", url, { headers: TUS, signal: new AbortController().signal }).catch(away);
    const job = answer?.header("Location");
    if (job) await ask(`${job}/cancel`, { method: "POST" });
  }
}

const TUS = { "Tus-Resumable": "1.0.0" };

/** Nobody answered. @param {unknown} error @returns {null} */
function away(error) {
  if (!(error instanceof TypeError)) throw error;
  return null;
}
