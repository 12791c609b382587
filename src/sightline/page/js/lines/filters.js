// Which objects count: classes, least confidence, least hits. Part of every question; the numbers say it in words.

import { $, announce, button, glyph, h } from "../ui.js";
import { EVERYTHING, isEverything } from "./counts.js";

export { describe } from "./counts.js";

/** @typedef {import("./counts.js").Filter} Filter */

/** Show a class or leave it out; one stays, as a count of nothing says nothing. @param {import("../state.js").State} state @param {string} label */
export function toggleClass(state, label) {
  const { filter, classes } = state.values;
  const hidden = new Set(filter.hidden);
  if (!hidden.delete(label)) hidden.add(label);
  if (classes.every((/** @type {any} */ c) => hidden.has(c.label))) return announce("One class stays");
  state.set({ filter: { ...filter, hidden } });
  announce(`${label} ${hidden.has(label) ? "left out" : "counted"}`);
}

/** @param {import("../state.js").State} state */
export function mountFilters(state) {
  const chips = h("div", { class: "chips", role: "group", "aria-label": "Classes" });
  const out = h("output", { for: "f-confidence" });
  const sure = h("input", { type: "range", min: 0, max: 0.95, step: 0.05, id: "f-confidence" });
  const hits = h("input", { type: "number", id: "f-hits", min: 1, max: 100000, step: 1, placeholder: "usual" });
  const error = h("p", { class: "hint-error small", role: "alert", hidden: true });
  const reset = button("Reset", { title: "Every object counts again" }, () => state.set({ filter: EVERYTHING }));
  const set = (/** @type {Partial<Filter>} */ values) => state.set({ filter: { ...state.values.filter, ...values } });
  sure.addEventListener("input", () => set({ min_confidence: sure.valueAsNumber }));
  hits.addEventListener("change", () => {
    error.hidden = hits.value === "" ? !hits.validity.badInput : hits.validity.valid;
    error.textContent = error.hidden ? "" : `Hits are a whole number of ${hits.min} or more, or nothing for the usual rule.`;
    if (error.hidden) set({ min_hits: hits.value === "" ? null : hits.valueAsNumber });
  });
  $("#filters").append(chips,
    h("div", { class: "slider" }, h("label", { for: "f-confidence" }, "Least confidence"), sure, out),
    h("div", { class: "slider hits" }, h("label", { for: "f-hits" }, "Least hits"), hits), reset, error);

  const build = () => {
    /** @type {Map<string, any>} */
    const labels = new Map(state.values.classes.map((/** @type {any} */ c) => [c.label, c]));
    chips.replaceChildren(...[...labels.values()].map((cls, i) => h("button", { type: "button", class: "chip", "data-label": cls.label, title: `Count ${cls.label}${i < 9 ? ` (${i + 1})` : ""}`, onclick: () => toggleClass(state, cls.label) }, glyph({ name: cls.colour, shape: cls.shape }), cls.label)));
    chips.hidden = !labels.size;
    show();
  };
  const show = () => {
    const { filter } = state.values;
    for (const el of chips.children) el.setAttribute("aria-pressed", String(!filter.hidden.has(/** @type {HTMLElement} */ (el).dataset.label)));
    sure.value = filter.min_confidence;
    out.textContent = filter.min_confidence.toFixed(2);
    if (document.activeElement !== hits || filter.min_hits === null) hits.value = filter.min_hits ?? "";
    reset.disabled = isEverything(filter);
  };
  // Apart from `show`: the overview may come while somebody types.
  const rule = () => {
    const { overview } = state.values;
    const least = overview?.rule.min_hits ?? 1; // the service counts nobody who was seen less often
    hits.min = String(least);
    hits.placeholder = overview ? String(least) : "usual";
  };
  state.on(["classes"], build);
  state.on(["filter"], show);
  state.on(["overview"], rule);
  build();
  rule();
}
