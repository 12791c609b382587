// The table of intervals on the clock: by line and direction, a column a class, with totals and the peak hour.

import { askJson } from "../api.js";
import { describe, question } from "../lines/counts.js";
import { button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { asking, trouble } from "./asking.js";
import { offer } from "./choices.js";
import { clockButton } from "./clock_start.js";
import { dayOf, moment, sinceMidnightUs } from "./clock_text.js";
import { csv } from "./csv.js";
import { follows } from "./follows.js";
import { placeOf, tabulate, wayOf } from "./interval_rows.js";
import { LongTable, namedTd, td, th } from "./long_table.js";
import { ruleWords, waiting } from "./phrases.js";
import { fileName, saveCsv } from "./save.js";
import { binsOf, LENGTHS } from "./series.js";

const MOST = 60_000; // numbers of a table: more is slower to read than a file

/** @param {import("../state.js").State} state */
export function mountIntervals(state) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#intervals"));
  const lengths = h("select", { "aria-label": "Length of an interval" }, LENGTHS.map(([seconds, text]) => h("option", { value: seconds, selected: seconds === 900 }, text)));
  const which = h("select", { "aria-label": "Line or zone of the table" });
  const get = button("CSV", { name: "down", title: "Download what is shown" }, () => saveCsv(text(), `${fileName(state.values.job.name)}-${lengths.value}s.csv`));
  const note = h("p", { class: "muted small pad", role: "status", "data-filter": "" });
  const peak = h("p", { class: "pad", id: "peak-hour" });
  const table = new LongTable("Counts by interval", "plain intervals");
  /** @type {import("./interval_rows.js").CountRow[]} */
  let counts = [];
  /** @type {ReturnType<typeof tabulate>} */
  let shown = { labels: [], rows: [], totals: [], peak: null };

  const again = asking({
    ask: (signal) => {
      const { job, filter, classes, shapes } = state.values;
      const json = { ...question(shapes, filter, classes), bins: LENGTHS.find(([seconds]) => String(seconds) === lengths.value)?.[2] };
      return askJson(`/jobs/${job.job_id}/counts?evidence=false`, { method: "POST", json, signal });
    },
    done: (answer) => {
      root.removeAttribute("aria-busy");
      counts = answer.counts;
      failed.say("");
      draw();
    },
    failed: (error) => fails(`The table could not be counted. ${error.message}`),
  });
  const failed = trouble(again);
  const fails = (/** @type {string} */ words) => {
    say("");
    failed.say(words);
  };
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "intervals-title" }, "Intervals"), h("div", { class: "end" }, clockButton(state), which, lengths, get)),
    failed.el, peak, table.el, note);
  root.setAttribute("aria-labelledby", "intervals-title");

  const ask = () => {
    const { job, shapes, classes } = state.values;
    get.disabled = true;
    if (waiting(job)) return say(waiting(job));
    const places = shapes.reduce((/** @type {number} */ n) => n + 2, 1);
    const n = binsOf(job.source.duration_us, Number(lengths.value)).n * places * Math.max(1, classes.length);
    if (n > MOST) return say(`Intervals of ${lengths.selectedOptions[0].text} make ${int(n)} numbers here. Choose longer ones.`);
    again();
  };
  const say = (/** @type {string} */ words) => {
    root.removeAttribute("aria-busy");
    counts = [];
    draw();
    note.textContent = words;
  };
  const draw = () => {
    const { shapes, classes, filter, overview, job } = state.values;
    offer(which, [["", shapes.length ? "All lines and zones" : "Whole picture"], ...shapes.map((/** @type {any} */ s) => [s.name, s.name])]);
    const labels = classes.filter((/** @type {any} */ c) => !filter.hidden.has(c.label)).map((/** @type {any} */ c) => c.label);
    shown = tabulate(counts, { name: which.value, labels });
    get.disabled = !shown.rows.length;
    table.el.hidden = !shown.rows.length;
    peak.textContent = shown.rows.length ? peakWords(shown, Number(lengths.value)) : "";
    note.textContent = `Counted: ${describe(filter)}. ${job?.clock_start ? `Times on the clock of ${job.clock_start.slice(19).replace(/^\.\d+/, "")}.` : "Times in the video; set the clock for the time of day."} ${overview ? ruleWords(overview.rule) : ""}`;
    table.show(built(shown, Number(lengths.value)));
  };
  const text = () => {
    const { job, filter, overview } = state.values;
    const notes = [`Sightline: ${job.name}, job ${job.job_id}`, `Counted: ${describe(filter)}`, overview ? ruleWords(overview.rule) : "", peak.textContent ?? ""].filter(Boolean);
    const head = ["start_s", "end_s", "start_time", "end_time", "covered_s", "where", "direction", ...shown.labels, "total"];
    const rows = shown.rows.map((r) => [r.start_s, r.end_s, r.start_time, r.end_time, r.covered_s, placeOf(r), wayOf(r), ...shown.labels.map((l) => r.by[l] ?? 0), r.total]);
    const totals = shown.totals.map((s) => ["", "", "total", "", "", placeOf(s), wayOf(s), ...shown.labels.map((l) => s.by[l] ?? 0), s.total]);
    return csv(notes, [head, ...rows, ...totals]);
  };
  lengths.addEventListener("change", ask);
  which.addEventListener("change", draw);
  state.on(["overview"], draw);
  follows(state, root, (shapes) => shapes, ask);
}

/** @param {ReturnType<typeof tabulate>} shown @param {number} seconds */
function built(shown, seconds) {
  const fine = seconds < 60 || shown.rows.some((r) => sinceMidnightUs(r.start_time) % 60e6 > 0);
  const days = new Set(shown.rows.map((r) => dayOf(r.start_time))).size > 1;
  const at = (/** @type {string} */ time) => (days ? `${dayOf(time)} ` : "") + moment(time, fine);
  const numbers = (/** @type {any} */ series) => [...shown.labels.map((l) => td(int(series.by[l] ?? 0), "num")), td(h("b", {}, int(series.total)), "num")];
  return {
    head: [h("tr", {}, th("From"), th("To"), th("Where"), th("Direction"), shown.labels.map((l) => th(l, "num")), th("Total", "num"))],
    n: shown.rows.length,
    row: (/** @type {number} */ i) => {
      const r = shown.rows[i];
      const part = r.covered_s < r.end_s - r.start_s - 0.01 ? h("span", { class: "muted" }, ` (${clock(r.covered_s)} of it filmed)`) : null;
      return h("tr", {}, td(at(r.start_time)), td([at(r.end_time), part]), namedTd(placeOf(r)), namedTd(wayOf(r)), numbers(r));
    },
    foot: shown.totals.map((s) => h("tr", {}, h("th", { scope: "row", colspan: 2 }, "Total"), namedTd(placeOf(s)), namedTd(wayOf(s)), numbers(s))),
  };
}

/** @param {ReturnType<typeof tabulate>} shown @param {number} seconds */
function peakWords({ peak }, seconds) {
  if (!peak) return seconds > 3600 ? "" : "Peak hour: there is no whole hour of intervals with counts.";
  return `Peak hour: ${moment(peak.start_time, false)} to ${moment(peak.end_time, false)}, ${int(peak.count)} counted.`;
}
