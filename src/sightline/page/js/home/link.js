// Whether the service is there, on top of the page and above the list.

import { $, button, h, icon } from "../ui.js";
import { notice, unsay } from "./notices.js";

/** @typedef {import("./feed.js").Link} Link */

/** @type {Record<Link["kind"], [string, string]>} */
const WORDS = {
  connecting: ["wait", "Connecting"],
  live: ["ok", "Connected"],
  asking: ["ok", "Connected, asking every 3 s"],
  token: ["warn", "No token"],
  away: ["warn", "Service away"],
};

/** Shows a link, with the time of the last news and of the next try. */
export class LinkState {
  /** @type {Link} */
  link = { kind: "connecting" };
  #heard = Date.now();

  /** @param {{retry: () => void, token: () => void}} on */
  constructor(on) {
    this.on = on;
    setInterval(() => this.#count(), 1000);
  }

  /** Something came from the service. */
  heard() {
    this.#heard = Date.now();
  }

  /** @param {Link} link */
  show(link) {
    const before = this.link.kind;
    this.link = link;
    const [name, words] = WORDS[link.kind];
    if (before !== link.kind || !$("#link").firstChild) {
      $("#link").className = `link-state${name === "warn" ? " state failed" : ""}`;
      $("#link").replaceChildren(icon(name), h("span", { class: "wide-only" }, words));
      $("#link").title = words;
      $("#list").classList.toggle("stale", link.kind === "away" || link.kind === "token");
    }
    if (link.kind !== "away" && link.kind !== "token") unsay("link");
    if (link.kind === "token" && before !== "token") {
      notice("link", "warn", "This service asks for a token", ["Nothing is shown without one."], button("Give a token", { kind: "outlined" }, this.on.token));
    }
    if (link.kind === "away") this.#away(before);
  }

  /** @param {Link["kind"]} before */
  #away(before) {
    if (before !== "away") {
      const text = ["The list shows what was known at ", new Date(this.#heard).toLocaleTimeString(), ". Jobs go on without this page. ", h("span", { id: "countdown" })];
      notice("link", "error", "The service does not answer", text, button("Try now", { kind: "outlined" }, this.on.retry));
    }
    this.#count();
  }

  /** The seconds are for those who see them; a screen reader has heard that it goes on by itself. */
  #count() {
    const el = document.getElementById("countdown");
    if (this.link.kind !== "away" || !el) return;
    const seconds = Math.ceil((this.link.until - Date.now()) / 1000);
    el.textContent = seconds > 0 ? `Next try in ${seconds} s.` : "Trying…";
  }
}
