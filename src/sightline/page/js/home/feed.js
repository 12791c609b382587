// News of all jobs as server-sent events. Where the service is away it is asked again and again; where it has no more room for
// listeners, the list is asked for now and then.

import { Refused, ask } from "../api.js";
import { Events } from "./events.js";

const SILENCE_MS = 40_000; // a ping comes every 15 s
const POLL_MS = 3000;
const MOST_MS = 15_000;
const FOREVER_MS = 2 ** 31 - 1;

/** @typedef {{kind: "connecting" | "live" | "asking" | "token"} | {kind: "away", until: number}} Link */

export class Feed {
  /** @type {() => void} */
  #wake = () => {};

  /**
   * @param {{jobs: (news: {by_state: Record<string, number>, items: any[]}, first: boolean) => void, progress: (news: any) => void,
   *   link: (link: Link) => void, refresh: () => Promise<void>}} on `refresh` asks for the list anew
   */
  constructor(on) {
    this.on = on;
  }

  /** Try at once. */
  now() {
    this.#wake();
  }

  /** Listen for as long as the page is there. */
  async run() {
    let tries = 0;
    for (let asking = false; ; ) {
      try {
        if (asking) await this.on.refresh();
        await this.#listen(() => ([tries, asking] = [0, false]));
        await this.#sleep(200); // it ended the stream: it stops, or is started anew
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        asking = error.status > 0 && error.status < 500 && error.status !== 401;
        tries = asking ? await this.#ask() : await this.#without(error, tries);
      }
    }
  }

  /** Somebody answers, and has no stream: the list is asked for until there is one. */
  async #ask() {
    this.on.link({ kind: "asking" });
    await this.#sleep(POLL_MS);
    return 0;
  }

  /** @param {Refused} error @param {number} tries */
  async #without(error, tries) {
    if (error.status === 401) {
      this.on.link({ kind: "token" });
      await this.#sleep(FOREVER_MS);
      return 0;
    }
    const ms = Math.min(MOST_MS, 1000 * 2 ** tries);
    this.on.link({ kind: "away", until: Date.now() + ms });
    await this.#sleep(ms);
    return tries + 1;
  }

  /** @param {() => void} heard */
  async #listen(heard) {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), SILENCE_MS);
    try {
      const answer = await ask("/events", { headers: { Accept: "text/event-stream" }, signal: stop.signal });
      const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
      const [events, decoder] = [new Events(), new TextDecoder()];
      heard();
      this.on.link({ kind: "live" });
      await this.on.refresh();
      for (let first = true; ; ) {
        const { done, value } = await reader.read().catch(broken);
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), SILENCE_MS);
        for (const { event, data } of events.add(decoder.decode(value, { stream: true }))) {
          this.#tell(event, JSON.parse(data), first);
          first = false;
        }
      }
    } catch (error) {
      if (stop.signal.aborted) broken();
      throw error;
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  /** @param {string} event @param {any} news @param {boolean} first whether it is the first one of a connection */
  #tell(event, news, first) {
    if (event === "jobs") this.on.jobs(news, first);
    if (event === "progress") this.on.progress(news);
  }

  /** @param {number} ms @returns {Promise<void>} */
  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A stream that broke off; a browser does not say why. @returns {never} */
function broken() {
  throw new Refused(0, { code: "away", detail: "The service does not answer." });
}
