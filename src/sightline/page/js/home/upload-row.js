// The row of a file on its way.

import { h } from "../ui.js";
import { bytes } from "../words.js";
import { left, leftWords } from "./rate.js";
import { Row, strong } from "./row.js";
import { explain } from "./words.js";

/** @typedef {import("./upload.js").Item} Item */
/** @typedef {{cancel: (item: Item) => void, retry: (item: Item) => void, choose: (item: Item) => void}} Acts */

/** @type {Record<import("./upload.js").Stage, {word: string, icon: string, kind: string}>} */
const STATES = {
  waiting: { word: "Waiting", icon: "wait", kind: "queued" },
  sending: { word: "Uploading", icon: "upload", kind: "uploading" },
  checking: { word: "Checking", icon: "work", kind: "uploading" },
  trying: { word: "Interrupted", icon: "warn", kind: "uploading" },
  refused: { word: "Refused", icon: "error", kind: "failed" },
  unfinished: { word: "Unfinished", icon: "pause", kind: "queued" },
};

export class UploadRow extends Row {
  /** @param {string} key @param {Acts} acts */
  constructor(key, acts) {
    super(key);
    this.acts = acts;
  }

  /** @param {Item} item @param {{now: number, clock: number}} at monotonic and wall clock in milliseconds */
  update(item, { now, clock }) {
    const title = item.options.name || item.name;
    this.shape(`${item.stage}|${title}`, () => ({
      name: title,
      sub: h("p", { class: "probe" }, bytes(item.size)),
      state: STATES[item.stage],
      work: this.#work(item, title),
      action: this.#actions(item, title),
    }));
    if (this.refs.bar) this.refs.bar.value = item.sent / item.size;
    this.say("sent", strong(`${Math.floor((item.sent / item.size) * 100)} %`), ` of ${bytes(item.size)}`);
    const rate = item.stage === "sending" ? item.rate.of(now) : null;
    this.say("rate", rate === null ? "" : `${bytes(rate)}/s`);
    this.say("left", leftWords(left(rate, item.size - item.sent)));
    if (item.stage === "trying" && item.error) {
      this.say("why", explain(item.error.code, item.error.message).what);
      this.say("again", `Goes on by itself: next try in ${Math.max(1, Math.ceil((item.until - clock) / 1000))} s.`);
    }
    if (item.stage === "refused" && item.error) {
      const { what, todo } = explain(item.error.code, item.error.message);
      this.say("why", what);
      this.say("todo", todo);
    }
  }

  /** @param {Item} item @param {string} title */
  #work(item, title) {
    if (item.stage === "waiting") return [h("p", { class: "muted" }, "Two files are sent at a time; this one waits for its turn.")];
    if (item.stage === "refused") return [h("div", { class: "why" }, h("p", {}, this.slot("why")), h("p", { class: "muted" }, this.slot("todo")))];
    this.refs.bar = h("progress", { max: 1, value: 0, "aria-label": `Upload: ${title}` });
    const words = {
      sending: () => this.facts("sent", "rate", "left"),
      checking: () => h("p", { class: "facts" }, "All of it is there. The service looks into it."),
      trying: () => this.facts("sent", "why", "again"),
      unfinished: () => h("p", { class: "facts" }, this.slot("sent"), h("span", {}, "Choose the same file again: it goes on where it was.")),
    };
    return [this.refs.bar, words[item.stage]()];
  }

  /** @param {Item} item @param {string} title */
  #actions(item, title) {
    const cancel = (/** @type {string} */ word) => this.act(word, title, {}, () => this.acts.cancel(item));
    if (item.stage === "unfinished") {
      return [this.act("Choose file", title, { kind: "outlined" }, () => this.acts.choose(item)), this.act("Give up", title, { name: "bin", text: false }, () => this.acts.cancel(item))];
    }
    if (item.stage !== "refused") return [cancel("Cancel")];
    const again = item.error && [0, 401, 403, 429].includes(item.error.status);
    return [again ? this.act("Retry", title, { kind: "outlined" }, () => this.acts.retry(item)) : null, cancel("Dismiss")];
  }
}
