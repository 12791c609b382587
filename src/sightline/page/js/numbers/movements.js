// The turning-movement table that traffic engineers hand in: from, to, turn; peak hour, its factor, heavy vehicles.

import { ask, askJson } from "../api.js";
import { describe, question } from "../lines/counts.js";
import { button, h, stored, store } from "../ui.js";
import { int } from "../words.js";
import { asking, trouble } from "./asking.js";
import { moment } from "./clock_text.js";
import { follows } from "./follows.js";
import { LongTable, namedTh, td } from "./long_table.js";
import { byInterval, heads } from "./movements_rows.js";
import { plural, share, waiting } from "./phrases.js";
import { fileName, save } from "./save.js";

const HEAVY = ["truck", "bus", "lorry"];
const NEEDS = "Draw a line across each arm of the junction, so that in points towards it. Who crosses one line inwards and then another one outwards has made a movement.";
const KINDS = { csv: "text/csv", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };

/** @param {import("../state.js").State} state */
export function mountMovements(state) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#movements"));
  const note = h("p", { class: "muted small pad", role: "status", "data-filter": "" });
  const facts = h("div", { class: "pad" });
  const heavy = h("fieldset", { class: "heavy" });
  const table = new LongTable("Turning movements by interval", "plain movements");
  let chosen = new Set(stored("heavy", HEAVY));
  const files = Object.keys(KINDS).map((kind) => button(kind === "csv" ? "CSV" : "Spreadsheet", { name: "down", title: `Download as ${kind.toUpperCase()}` }, () => void download(/** @type {keyof typeof KINDS} */ (kind))));

  const body = () => {
    const { filter, classes, shapes } = state.values;
    const { zones: _zones, ...asked } = question(shapes, filter, classes);
    return { ...asked, bins: "15m", heavy: classes.map((/** @type {any} */ c) => c.label).filter((/** @type {string} */ l) => chosen.has(l)) };
  };
  const again = asking({
    ask: (signal) => askJson(`/jobs/${state.values.job.job_id}/movements`, { method: "POST", json: body(), signal }),
    done: (answer) => {
      failed.say("");
      draw(answer);
    },
    failed: (error) => {
      empty("");
      failed.say(`The table could not be made. ${error.message}`);
    },
    wait: 400,
  });
  const failed = trouble(again);
  const download = async (/** @type {keyof typeof KINDS} */ kind) => {
    try {
      const answer = await ask(`/jobs/${state.values.job.job_id}/movements?format=${kind}`, { method: "POST", json: body(), headers: { Accept: KINDS[kind] } });
      save(await answer.blob(), `${fileName(state.values.job.name)}-movements.${kind}`);
      failed.say("");
    } catch (error) {
      failed.say(`The file could not be made. ${/** @type {Error} */ (error).message}`);
    }
  };
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "movements-title" }, "Turning movements"), h("div", { class: "end" }, files)),
    failed.el, facts, table.el, heavy, note);

  const begin = () => {
    const { job, shapes } = state.values;
    const lines = shapes.filter((/** @type {any} */ s) => s.kind === "line");
    offerHeavy();
    failed.say("");
    if (waiting(job)) return empty(waiting(job));
    if (lines.length < 2) return empty(NEEDS);
    again();
  };
  const empty = (/** @type {string} */ words) => {
    draw(null);
    note.textContent = words;
  };
  const offerHeavy = () => {
    const labels = state.values.classes.map((/** @type {any} */ c) => c.label);
    if (heavy.dataset.labels === labels.join()) return;
    heavy.dataset.labels = labels.join();
    heavy.replaceChildren(h("legend", {}, "Heavy vehicles"), ...labels.map((/** @type {string} */ label) => {
      const box = h("input", { type: "checkbox", checked: chosen.has(label) });
      box.addEventListener("change", () => {
        chosen = new Set(chosen);
        box.checked ? chosen.add(label) : chosen.delete(label);
        store("heavy", [...chosen]);
        begin();
      });
      return h("label", { class: "check" }, box, label);
    }));
  };
  const draw = (/** @type {any} */ answer) => {
    root.removeAttribute("aria-busy");
    const shown = Boolean(answer?.movements.length);
    table.el.hidden = heavy.hidden = facts.hidden = !shown;
    for (const file of files) file.disabled = !shown;
    if (!answer) return;
    note.textContent = `${shown ? "" : "Nobody crossed one line inwards and then another one outwards. "}${incomplete(answer.incomplete)} Counted: ${describe(state.values.filter)}.`;
    if (!shown) return;
    facts.replaceChildren(...peakWords(answer.peak).map((words) => h("p", {}, words)));
    table.show(built(answer));
  };
  follows(state, root, (shapes) => shapes.filter(({ kind }) => kind === "line"), begin);
}

/** @param {{entered_only: number, left_only: number}} incomplete */
function incomplete({ entered_only, left_only }) {
  if (!entered_only && !left_only) return "Every object that crossed a line is in the table.";
  return `Not in the table: ${plural(entered_only, "object")} that only came in, ${plural(left_only, "object")} that only went out.`;
}

/** @param {any} peak */
function peakWords(peak) {
  if (!peak) return ["Peak hour: there is no whole hour with counts."];
  const { start_time, end_time, count, factor, heavy_share } = peak;
  const words = [`Peak hour: ${moment(start_time, false)} to ${moment(end_time, false)}, ${plural(count, "object")}.`];
  if (factor !== null && factor !== undefined) words.push(`Peak hour factor: ${factor.toFixed(2)}, the hour over four times its busiest quarter.`);
  return [...words, `Heavy vehicles in it: ${share(heavy_share)}.`];
}

/** @param {any} answer */
function built({ movements, rows, totals }) {
  const intervals = byInterval(movements, rows);
  const total = totals.reduce((/** @type {number} */ n, /** @type {any} */ t) => n + t.count, 0);
  const heavy = totals.reduce((/** @type {number} */ n, /** @type {any} */ t) => n + t.heavy, 0);
  const of = (/** @type {any} */ movement) => totals.find((/** @type {any} */ t) => t.from === movement.from && t.to === movement.to);
  return {
    head: [
      h("tr", {}, h("th", { scope: "col", rowspan: 2 }, "From"), h("th", { scope: "col", rowspan: 2 }, "To"),
        heads(movements).map(({ from, n }) => namedTh(`in by ${from}`, "num", { scope: "colgroup", colspan: n })), h("th", { scope: "col", rowspan: 2, class: "num" }, "All")),
      h("tr", {}, movements.map((/** @type {any} */ m) => namedTh(`${m.turn}, to ${m.to}`, "num"))),
    ],
    n: intervals.length,
    row: (/** @type {number} */ i) => {
      const { start_time, end_time, counts, total: all } = intervals[i];
      return h("tr", {}, td(moment(start_time, false)), td(moment(end_time, false)), counts.map((n) => td(int(n), "num")), td(h("b", {}, int(all)), "num"));
    },
    foot: [
      h("tr", {}, h("th", { scope: "row", colspan: 2 }, "Total"), movements.map((/** @type {any} */ m) => td(int(of(m)?.count ?? 0), "num")), td(h("b", {}, int(total)), "num")),
      h("tr", {}, h("th", { scope: "row", colspan: 2 }, "Heavy"), movements.map((/** @type {any} */ m) => td(share(of(m)?.heavy_share ?? null), "num")), td(share(total ? heavy / total : null), "num")),
    ],
  };
}
