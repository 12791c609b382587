// A row of the list: its texts and bars change in place, so that focus and scroll survive every update.

import { button, h, icon } from "../ui.js";

/** What job rows and rows of uploads share. */
export class Row {
  /** What the row was built for; another shape builds its parts anew. */
  #shape = "";
  /** @type {Record<string, any>} elements that change, by name */
  refs = {};

  /** @param {string} key */
  constructor(key) {
    this.key = key;
    this.el = h("li", { class: "job", "data-key": key });
  }

  /**
   * Build the parts of a shape, once. Who had the focus on a button that goes finds it on the one that comes.
   * @param {string} shape
   * @param {() => {name: any, sub: any, state: {word: string, icon: string, kind: string}, work: any[], action: any[]}} parts
   */
  shape(shape, parts) {
    if (shape === this.#shape) return;
    const focused = this.el.contains(document.activeElement);
    this.#shape = shape;
    this.refs = {};
    const { name, sub, state, work, action } = parts();
    this.el.replaceChildren(
      h("div", { class: "name" }, h("h3", {}, name), sub),
      h("p", { class: `state ${state.kind}` }, icon(state.icon, state.icon === "work" ? "icon turning" : "icon"), state.word),
      h("div", { class: "work" }, work),
      h("div", { class: "action" }, action));
    if (focused && !this.el.contains(document.activeElement)) this.focus();
  }

  /** Give the focus to the first thing that can be done here. */
  focus() {
    /** @type {HTMLElement | null} */ (this.el.querySelector(".action a, .action button") ?? this.el.querySelector("h3 a"))?.focus();
  }

  /** A place for text that changes. @param {string} name @param {string} [kind] */
  slot(name, kind = "") {
    this.refs[name] = h("span", { class: kind || null });
    return this.refs[name];
  }

  /** @param {string} name of a slot @param {...any} content texts and elements; none: it is hidden */
  say(name, ...content) {
    const el = this.refs[name];
    if (!el) return;
    const said = content.map((each) => each.textContent ?? each).join("");
    el.hidden = said === "";
    if (el.textContent !== said) el.replaceChildren(...content);
  }

  /** A line of facts. @param {...string} names of slots */
  facts(...names) {
    return h("p", { class: "facts" }, names.map((name) => this.slot(name)));
  }

  /** A button that says whose it is. @param {string} word @param {string} whose @param {Record<string, any>} options @param {() => void} act */
  act(word, whose, options, act) {
    const label = `${word}: ${whose}`;
    if (options.text === false) return button(label, options, act);
    return button(word, { ...options, "aria-label": label }, act);
  }
}

/** @param {string} text */
export const strong = (text) => h("b", {}, text);
