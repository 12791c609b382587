// Which jobs are shown: a state and a part of a name, kept in the address so that a reload shows the same.

import { $, button, h } from "../ui.js";
import { int } from "../words.js";
import { VIEWS, viewOf } from "./jobs.js";

const TYPING_MS = 250;

export class Filters {
  /** @type {Record<string, any>} */
  #buttons = {};

  /** @param {() => void} changed */
  constructor(changed) {
    const query = new URLSearchParams(location.search);
    this.view = viewOf(query.get("state") ?? "");
    this.name = query.get("name") ?? "";
    this.changed = changed;
    this.#build();
  }

  /** What `Jobs` is asked for. */
  get wanted() {
    return { states: this.view.states, name: this.name };
  }

  /** Whether anything is left out. */
  get narrow() {
    return this.view.name !== "all" || this.name !== "";
  }

  /** @param {string} view @param {string} name */
  set(view, name) {
    [this.view, this.name] = [viewOf(view), name];
    const query = new URLSearchParams(location.search);
    for (const [key, value] of [["state", view === "all" ? "" : view], ["name", name]]) {
      if (value) query.set(key, value);
      else query.delete(key);
    }
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    if ($("#name").value !== name) $("#name").value = name;
    this.#mark();
    this.changed();
  }

  /** Totals of the states, where they are known. @param {Record<string, number> | null} byState */
  totals(byState) {
    for (const { name, states } of VIEWS) {
      const counted = byState && Object.entries(byState).filter(([state]) => !states.length || states.includes(state));
      const sum = counted?.reduce((total, [, n]) => total + n, 0);
      this.#buttons[name].lastChild.textContent = sum === undefined ? "" : int(sum);
    }
  }

  #build() {
    for (const { name, word } of VIEWS) {
      const made = button(`${word} `, { "aria-pressed": "false" }, () => this.set(name, this.name));
      made.append(h("span", { class: "total" }));
      $("#filter").append((this.#buttons[name] = made));
    }
    let timer = 0;
    $("#name").value = this.name;
    $("#name").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.set(this.view.name, $("#name").value.trim()), TYPING_MS);
    });
    this.#mark();
  }

  #mark() {
    for (const [name, el] of Object.entries(this.#buttons)) el.setAttribute("aria-pressed", String(name === this.view.name));
  }
}
