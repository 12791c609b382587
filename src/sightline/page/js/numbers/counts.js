// The panel of counts: unique objects by class and group, how many are in view now, the most at once.

import { describe } from "../lines/counts.js";
import { glyph, h } from "../ui.js";
import { clock, int } from "../words.js";
import { placesOf, wayOf } from "./audit_facts.js";
import { write } from "./choices.js";
import { ruleWords, verifiedWords, waiting } from "./phrases.js";
import { verified } from "./verified.js";

const WAYS = new Map([["zone_enter", "entered"], ["zone_exit", "left"]]);
const capital = (/** @type {string} */ word) => word.charAt(0).toUpperCase() + word.slice(1);

/** @param {import("../state.js").State} state @param {any} player */
export function mountCounts(state, player) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#counts-panel"));
  const body = h("tbody");
  const rule = h("p", { class: "muted small pad" });
  const said = h("p", { class: "muted small pad", "data-filter": "" });
  const signed = h("ul", { class: "signed pad" });
  /** @type {Map<string, ReturnType<typeof rowOf>>} */
  const rows = new Map();
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "counts", tabindex: "-1" }, "Counts")),
    h("table", { class: "counts" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hide" }, "Class")),
      ["Unique", "In view", "Peak at once"].map((text) => h("th", { scope: "col", class: "num" }, text)))), body),
    signed, said, rule);

  const build = () => {
    rows.clear();
    const { classes } = state.values;
    const groups = [...new Set(classes.map((/** @type {any} */ each) => each.group))];
    for (const group of groups) {
      rows.set(keyOf(group), rowOf(capital(group), null, player));
      for (const each of classes) if (each.group === group) rows.set(keyOf(group, each.label), rowOf(capital(each.label), each, player));
    }
    body.replaceChildren(...[...rows.values()].map((row) => row.el));
    show();
    now();
  };
  const show = () => {
    const { overview, filter, job } = state.values;
    const found = new Map();
    for (const each of [...(overview?.groups ?? []), ...(overview?.classes ?? [])]) found.set(keyOf(each.group, each.label), each);
    for (const [key, row] of rows) row.count(overview ? found.get(key) : null);
    said.textContent = overview ? `Counted: ${describe(filter)}. ${left(overview.tracks)}` : waiting(job) || "Counting.";
    rule.textContent = overview ? ruleWords(overview.rule) : "";
  };
  const now = () => {
    const seen = new Map();
    for (const { group, label } of state.values.boxes ?? []) {
      for (const key of [keyOf(group), keyOf(group, label)]) seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    for (const [key, row] of rows) row.now(seen.get(key) ?? 0);
  };
  const sign = () => {
    const places = placesOf(state.values.shapes ?? []);
    const items = places.map((place) => ({ place, own: verified(place.name, wayOf(place)) })).filter(({ own }) => own);
    signed.hidden = !items.length;
    signed.replaceChildren(...items.map(({ place, own }) => h("li", {}, h("span", {}, `${place.name}, ${WAYS.get(place.kind) ?? place.direction}`),
      h("b", {}, verifiedWords(/** @type {any} */ (own).raw, own)))));
  };
  state.on(["classes"], build);
  state.on(["overview", "filter", "job"], show);
  state.on(["boxes"], now);
  state.on(["audit", "counts", "shapes", "filter"], sign);
  build();
  sign();
}

/** @param {string} group @param {string} [label] */
const keyOf = (group, label = "") => JSON.stringify([group, label]);

/** @param {{counted: number, all: number}} tracks */
const left = ({ counted, all }) => (counted === all ? `All ${int(all)} counted tracks.` : `${int(all - counted)} of ${int(all)} tracks are left out.`);

/** A row of a group, or of a class of it. @param {string} name @param {any} cls @param {any} player */
function rowOf(name, cls, player) {
  const unique = h("td", { class: "num" });
  const seen = h("td", { class: "num" });
  let at = 0;
  const peak = h("button", { type: "button", class: "link", onclick: () => player.seekUs(at) });
  const mark = cls ? glyph({ name: cls.colour, shape: cls.shape }) : null;
  const el = h("tr", { class: cls ? null : "group", "data-count": name.toLowerCase() }, h("th", { scope: "row" }, h("span", { class: "cell" }, mark, name)), unique, seen, h("td", { class: "num" }, peak));
  return {
    el,
    /** @param {number} n */
    now: (n) => write(seen, int(n)),
    /** @param {any} found null: nothing is known yet; undefined: nothing was counted */
    count(found) {
      unique.textContent = found === null ? "" : int(found?.unique ?? 0);
      peak.hidden = found === null;
      peak.disabled = !found?.peak;
      at = found?.peak_pts_us ?? 0;
      peak.textContent = found === null ? "" : found?.peak ? `${int(found.peak)} at ${clock(at / 1e6, 1)}` : "0";
      peak.title = found?.peak ? "Go there" : "";
    },
  };
}
