// Counts raw and verified, by class or by interval.

import { h } from "../ui.js";
import { int } from "../words.js";
import { summed } from "./audit_facts.js";
import { select } from "./choices.js";
import { moment } from "./clock_text.js";
import { LongTable, td, th } from "./long_table.js";
import { percent } from "./phrases.js";

/** @typedef {import("./audit_facts.js").AuditRow & {start_s?: number, start_time?: string, end_time?: string}} Row */

const WAYS = new Map([["zone_enter", "entered"], ["zone_exit", "left"]]);
const FIGURES = /** @type {[string, "raw" | "open" | "rejected" | "missed" | "verified"][]} */ ([
  ["Counted", "raw"], ["Open", "open"], ["Rejected", "rejected"], ["Missed", "missed"], ["Verified", "verified"],
]);

export class AuditTable {
  /** @type {any} */
  #audit = null;
  #name = "";

  constructor() {
    this.by = select("Rows of the table", [["class", "By class"], ["bin", "By 15 minutes"], ["both", "By 15 minutes and class"]], "class");
    this.by.addEventListener("change", () => this.#draw());
    this.table = new LongTable("Counted and verified", "plain audited");
    this.el = h("div", {}, h("div", { class: "pad audit-by" }, this.by), this.table.el);
  }

  /** @param {any} audit @param {string} name of the line or zone */
  show(audit, name) {
    this.#audit = audit;
    this.#name = name;
    this.#draw();
  }

  #draw() {
    if (!this.#audit) return;
    const by = this.by.value;
    /** @type {Row[]} */
    const rows = (by === "class" ? this.#audit.counts : (this.#audit.by_bin ?? [])).filter((/** @type {Row} */ row) => row.name === this.#name);
    const way = (/** @type {Row} */ row) => WAYS.get(row.kind) ?? row.direction;
    const parts = (/** @type {Row} */ row) => [by === "class" ? null : moment(row.start_time ?? "", false), by === "bin" ? way(row) : `${way(row)}, ${row.label}`].filter((part) => part !== null);
    const lines = summed(rows, (row) => JSON.stringify([by === "class" ? 0 : row.start_s, parts(row)]));
    const total = summed(rows, () => "")[0];
    const heads = [by === "class" ? null : "From", by === "bin" ? "Direction" : "Class"].filter((text) => text !== null);
    const numbers = (/** @type {import("./audit_facts.js").Figures} */ figures) => [...FIGURES.map(([, name]) => td(int(figures[name]), "num")), td(percent(figures.error), "num")];
    this.table.show({
      head: [h("tr", {}, heads.map((text) => th(text)), FIGURES.map(([text]) => th(text, "num")), th("Error", "num"))],
      n: lines.length,
      row: (i) => h("tr", {}, parts(lines[i].row).map((text) => td(text)), numbers(lines[i].figures)),
      foot: total ? [h("tr", {}, h("th", { scope: "row", colspan: heads.length }, "All"), numbers(total.figures))] : [],
    });
  }
}
