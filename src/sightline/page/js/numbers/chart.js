// The chart of counts over time, and the same numbers as a table.

import { describe } from "../lines/counts.js";
import { button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { namesOf } from "./audit_facts.js";
import { select, write } from "./choices.js";
import { sinceMidnightUs } from "./clock_text.js";
import { LongTable, namedTh, td, th } from "./long_table.js";
import { ink, lookOf, Plot } from "./plot.js";
import { binAt, binsOf, crossings, inView, LENGTHS } from "./series.js";

const LINES = 9; // more cannot be told apart

/** @param {import("../state.js").State} state @param {any} player */
export function mountChart(state, player) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#chart"));
  const metric = select("What the chart shows", [["crossings", "Crossings"], ["view", "In view, most at once"]], "crossings");
  const length = select("Length of an interval of the chart", LENGTHS.slice(0, -1).map(([seconds, words]) => [String(seconds), words]), "1");
  const asTable = button("Table", { "aria-pressed": "false", id: "chart-as-table" }, () => {
    asTable.setAttribute("aria-pressed", String(asTable.getAttribute("aria-pressed") !== "true"));
    draw();
  });
  const legend = h("p", { class: "legend small" });
  const canvas = h("div", { class: "plot-root", role: "img" });
  const table = new LongTable("Counts over time");
  const note = h("p", { class: "muted small pad", "data-filter": "" });
  const plot = new Plot(canvas, { seek: (at) => player.seekUs(Math.round(toVideo(at))), tell: (at) => tell(at === null ? here() : toVideo(at)) });
  /** @type {ReturnType<typeof crossings>} */
  let series = [];
  let bins = binsOf(1, 1);
  let midnight = 0;
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "chart-title" }, "Over time"), h("div", { class: "end" }, metric, length, asTable)),
    legend, canvas, table.el, note);

  const toVideo = (/** @type {number} */ seconds) => Math.min(duration(), Math.max(0, seconds * 1e6 - midnight));
  const toAxis = (/** @type {number} */ us) => (us + midnight) / 1e6;
  const duration = () => state.values.frames?.duration ?? state.values.job?.source?.duration_us ?? 0;
  const here = () => state.values.frames?.pts[state.values.row] ?? 0;
  const words = (/** @type {number} */ seconds) => clock(midnight ? seconds % 86400 : seconds);

  const draw = () => {
    const { job, overview, counts, shapes, shape, filter, classes } = state.values;
    midnight = sinceMidnightUs(job?.clock_start ?? null);
    bins = binsOf(duration(), Number(length.value), midnight);
    const viewed = metric.value === "view";
    const groups = new Set(classes.filter((/** @type {any} */ c) => !filter.hidden.has(c.label)).map((/** @type {any} */ c) => c.group));
    series = viewed ? (overview ? inView(overview, /** @type {any} */ (groups), bins) : []) : crossings(counts?.evidence ?? [], shapes, shape, bins);
    const more = series.length - LINES;
    series = series.slice(0, LINES);
    const tabled = asTable.getAttribute("aria-pressed") === "true";
    legend.hidden = canvas.hidden = tabled || !series.length;
    table.el.hidden = !tabled || !series.length;
    const which = viewed ? "Most at once in each interval" : shape ? `Crossings of ${shape}` : "Crossings of each line, both directions; zones: entered";
    const none = viewed ? "Nothing is known yet." : "Draw a line to see crossings over time.";
    note.textContent = series.length ? `${which}. Counted: ${describe(filter)}.${more > 0 ? ` ${more} more lines are not drawn: choose one.` : ""}` : none;
    canvas.setAttribute("aria-label", `${note.textContent} The button Table shows the numbers.`);
    if (tabled) tabulate();
    else plotted();
    follow();
  };
  const plotted = () => {
    const drawn = series.map((each, i) => ({ ...each, ...lookOf(i), ...(each.group ? { ink: inkOf(state, each.group) } : {}) }));
    const begins = Array.from({ length: bins.n + 1 }, (_, i) => toAxis(bins.begin + i * bins.size));
    plot.draw({ series: drawn, begins, span: [toAxis(0), toAxis(duration())], words });
    legend.replaceChildren(...drawn.map(({ title, ink: name, dash }) => h("span", { class: "key" }, sample(name, dash, root), title, h("b"))));
  };
  const tabulate = () => table.show({
    head: [h("tr", {}, th("From"), th("To"), series.map(({ title }) => namedTh(title, "num")))],
    n: bins.n,
    row: (i) => {
      const from = Math.max(0, bins.begin + i * bins.size);
      const go = h("button", { type: "button", class: "link", title: "Go there", onclick: () => player.seekUs(from) }, words(toAxis(bins.begin + i * bins.size)));
      return h("tr", {}, td(go), td(words(toAxis(bins.begin + (i + 1) * bins.size))), series.map(({ values }) => td(int(values[i]), "num")));
    },
  });
  const tell = (/** @type {number} */ us) => {
    const bin = binAt(bins, us);
    legend.querySelectorAll("b").forEach((b, i) => write(b, int(series[i]?.values[bin] ?? 0)));
  };
  const follow = () => {
    if (canvas.hidden) return;
    plot.moveTo(toAxis(here()));
    tell(here());
  };
  for (const el of [metric, length]) el.addEventListener("change", draw);
  let names = "";
  state.on(["shapes"], () => {
    const now = namesOf(state.values.shapes);
    if (now !== names) draw();
    names = now;
  });
  state.on(["counts", "overview", "shape", "classes", "frames"], draw);
  state.on(["job"], () => sinceMidnightUs(state.values.job?.clock_start ?? null) !== midnight && draw());
  state.on(["row"], follow);
  length.value = fitting(state.values.job?.source?.duration_us ?? 0);
  draw();
}

/** The finest length that still reads: at most 120 intervals. @param {number} duration */
const fitting = (duration) => String((LENGTHS.find(([seconds]) => duration / 1e6 / seconds <= 120) ?? LENGTHS[5])[0]);

/** The hue of a group is that of its first class. @param {import("../state.js").State} state @param {string} group */
const inkOf = (state, group) => state.values.classes.find((/** @type {any} */ c) => c.group === group)?.colour ?? "accent";

/** @param {string} name @param {number[]} dash @param {Element} root */
function sample(name, dash, root) {
  const line = h("line", { x1: 0, x2: 22, y1: 4, y2: 4, "stroke-width": 2, "stroke-dasharray": dash.join(" ") || null });
  line.style.stroke = ink(name, root);
  return h("svg", { width: 22, height: 8, "aria-hidden": "true" }, line);
}
