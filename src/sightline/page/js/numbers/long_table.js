// A table in a region that scrolls; of a long one only the rows that are seen are built.

import { h } from "../ui.js";

const FEW = 100;
const MORE = 20;

export class LongTable {
  #n = 0;
  #height = 26;
  #drawn = "";
  /** @type {(i: number) => any} */
  #row = () => null;

  /** @param {string} label for those who cannot see it @param {string} [kind] class of the table */
  constructor(label, kind = "plain") {
    this.head = h("thead");
    this.body = h("tbody");
    this.foot = h("tfoot");
    this.table = h("table", { class: kind }, this.head, this.body, this.foot);
    this.el = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, this.table);
    this.el.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.el);
  }

  /**
   * @param {{head: any[], n: number, row: (i: number) => any, foot?: any[]}} what `head` and `foot` are rows
   */
  show({ head, n, row, foot = [] }) {
    this.head.replaceChildren(...head);
    this.foot.replaceChildren(...foot);
    this.#n = n;
    this.#row = row;
    this.#drawn = "";
    this.table.setAttribute("aria-rowcount", n + head.length + foot.length);
    this.#draw();
  }

  #draw() {
    const [from, to] = this.#window();
    const key = `${from} ${to}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const rows = Array.from({ length: to - from }, (_, i) => {
      const tr = this.#row(from + i);
      tr.setAttribute("aria-rowindex", from + i + 2);
      return tr;
    });
    this.body.replaceChildren(this.#space(from), ...rows, this.#space(this.#n - to));
    if (rows[0]?.offsetHeight) this.#height = rows[0].offsetHeight;
  }

  /** The rows that are built: first, and one past the last. @returns {[number, number]} */
  #window() {
    if (this.#n <= FEW) return [0, this.#n];
    const first = Math.floor(this.el.scrollTop / this.#height / MORE) * MORE;
    const seen = Math.ceil(this.el.clientHeight / this.#height);
    return [Math.max(0, Math.min(first, this.#n) - MORE), Math.min(this.#n, first + seen + 2 * MORE)];
  }

  /** @param {number} rows that are not built */
  #space(rows) {
    if (!rows) return "";
    const td = h("td");
    td.style.height = `${rows * this.#height}px`;
    return h("tr", { "aria-hidden": "true", class: "space" }, td);
  }
}

/** @param {any} text @param {string | null} [kind] */
export const th = (text, kind = null) => h("th", { scope: "col", class: kind }, text);

/** The head of a column that has a name of somebody's own. @param {string} text @param {string} [kind] @param {Record<string, any>} [more] attributes */
export const namedTh = (text, kind = "", more = {}) => h("th", { scope: "col", class: `named ${kind}`, title: text, ...more }, text);

/** A name that somebody gave. @param {string} text */
export const namedTd = (text) => h("td", { class: "named", title: text }, text);

/** @param {any} text @param {string | null} [kind] */
export const td = (text, kind = null) => h("td", { class: kind }, text);
