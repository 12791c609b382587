// A line or zone in the panel: a row with its totals; opened, its name, directions, points and classes.

import { verifiedWords } from "../numbers/phrases.js";
import { verified } from "../numbers/verified.js";
import { button, h, icon } from "../ui.js";
import { int } from "../words.js";
import { wrongDirections, wrongName, wrongOf } from "./checks.js";
import { inside, totals } from "./counts.js";
import { keyOf, pointsOf } from "./geometry.js";
import { heading, markOf } from "./heading.js";

/** @typedef {import("./geometry.js").Shape} Shape @typedef {import("./geometry.js").Point} Point */
/** @typedef {{state: import("../state.js").State, player: any, drawing: import("./drawing.js").Drawing}} Parts */

/** @param {string} key of the shape @param {boolean} open @param {Parts} parts @returns {HTMLElement & {update: () => void}} */
export function shapeRow(key, open, parts) {
  const { state, drawing } = parts;
  const shape = /** @type {Shape} */ (drawing.find(key));
  const numbers = h("span", { class: "totals" });
  const toggle = () => state.set({ shape: open ? null : drawing.find(key)?.name ?? null });
  const row = h("button", { type: "button", class: "shape-row", "aria-expanded": String(open), "data-field": `row ${key}`, onclick: toggle }, icon(shape.kind), h("span", { class: "shape-name", title: shape.name }, shape.name), numbers);
  const detail = open ? shapeDetail(key, parts) : null;
  const li = h("li", { class: open ? "open" : null, "data-shape": key }, row, detail);
  let shown = "";
  li.update = () => {
    const now = drawing.find(key);
    if (!now) return;
    const each = figures(now, parts);
    const text = JSON.stringify([now, each]);
    if (text === shown) return;
    shown = text;
    numbers.replaceChildren(...each.map(([way, value, word]) => h("span", {}, way === null ? null : heading(now, way, parts.player.size), h("b", {}, value), h("span", { class: "word" }, word))));
    detail?.update(now);
  };
  return li;
}

/** Numbers of a row: the way they count, the number, its word. @param {Shape} shape @param {Parts} parts @returns {[boolean | null, string, string][]} */
function figures(shape, { state }) {
  const { counts, preview, tallies, boxes, frames, row } = state.values;
  const answer = preview ?? counts;
  if (!answer) return [];
  const all = totals(answer.counts, shape);
  const said = (/** @type {number} */ n, /** @type {string} */ way) => verifiedWords(n, preview ? null : verified(shape.name, way));
  if (shape.kind === "line") return [[true, said(all.inwards, shape.in), shape.in], [false, said(all.outwards, shape.out), shape.out]];
  const peak = answer.occupancy.find((/** @type {any} */ o) => o.name === shape.name)?.peak ?? 0;
  const tally = tallies.get(keyOf(shape));
  const now = tally && frames ? inside(tally, frames.pts[row], boxes) : 0;
  return [[null, said(all.inwards, "zone_enter"), "entered"], [null, int(now), "now"], [null, int(peak), "peak"]];
}

/** @param {string} key @param {Parts} parts */
function shapeDetail(key, parts) {
  const { drawing } = parts;
  const shape = /** @type {Shape} */ (drawing.find(key));
  const error = h("p", { class: "hint-error", role: "alert" });
  const names = nameFields(key, parts, error);
  const points = pointFields(key, parts, error);
  const table = classTable(shape, parts);
  const summary = h("summary");
  const root = h("div", { class: "shape-detail" },
    h("div", { class: "row" }, names.name,
      shape.kind === "line" ? button("Reverse", { name: "swap", title: "Swap in and out (r)", "data-field": "reverse" }, () => drawing.reverse(key)) : null,
      button(`Delete ${shape.name}`, { name: "bin", text: false }, () => drawing.remove(key))),
    names.directions, table.root,
    h("details", {}, summary, points.root), error);
  root.update = (/** @type {Shape} */ now) => {
    names.update(now);
    points.update(now);
    table.update(now);
    const { ground } = parts.state.values;
    summary.textContent = ground?.moves ? `Points in pixels of frame ${ground.frameOf(now.frame)}` : "Points in pixels";
  };
  return root;
}

/** Name of the shape, and of its directions. They are taken over when they are whole: by Enter, or when the field is left. @param {string} key @param {Parts} parts @param {HTMLElement} error */
function nameFields(key, { drawing, player }, error) {
  const shape = /** @type {Shape} */ (drawing.find(key));
  const field = (/** @type {string} */ label, /** @type {string} */ id, /** @type {(text: string) => void} */ take) => {
    const el = h("input", { "aria-label": label, maxlength: 100, spellcheck: "false", autocomplete: "off", "data-field": id });
    el.addEventListener("change", () => take(el.value.trim()));
    el.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => e.key === "Enter" && el.blur());
    return el;
  };
  const say = (/** @type {string | null} */ words) => {
    error.textContent = words ?? "";
    return words !== null;
  };
  const name = field("Name", "name", (text) => {
    const others = new Set(drawing.shapes.filter((s) => keyOf(s) !== key).map((s) => s.name));
    if (!say(wrongName(text, others))) drawing.change(key, (s) => ({ ...s, name: text }));
  });
  const update = (/** @type {Shape} */ now) => {
    show(name, now.name);
    if (now.kind === "line") ways.forEach((el, i) => show(el, i ? now.out : now.in));
  };
  const ways = shape.kind === "zone" ? [] : ["in", "out"].map((way) => field(way === "in" ? "Name of the direction in" : "Name of the direction out", way, (text) => {
    const now = drawing.find(key);
    if (now?.kind !== "line") return;
    const after = { ...now, [way]: text };
    if (!say(wrongDirections(after.in, after.out))) drawing.change(key, () => after);
  }));
  const directions = ways.length ? h("div", { class: "ways" }, ways.map((el, i) => h("label", {}, heading(shape, !i, player.size), el))) : null;
  update(shape);
  return { name, directions, update };
}

/** @param {HTMLInputElement} el @param {string} value */
function show(el, value) {
  if (document.activeElement !== el) el.value = value;
}

/** Number fields in pixels of the picture, so that nothing needs to be dragged. @param {string} key @param {Parts} parts @param {HTMLElement} error */
function pointFields(key, { drawing, player }, error) {
  const root = h("div", { class: "points" });
  const side = (/** @type {number} */ axis) => (axis ? player.size.height : player.size.width);
  const take = (/** @type {HTMLInputElement} */ el, /** @type {number} */ i, /** @type {number} */ axis) => {
    const now = drawing.find(key);
    if (!now || Number.isNaN(el.valueAsNumber)) return;
    const point = /** @type {Point} */ (pointsOf(now)[i].map((v, a) => (a === axis ? el.valueAsNumber / side(axis) : v)));
    const points = pointsOf(now).map((p, j) => (j === i ? point : p));
    const after = now.kind === "line" ? { ...now, a: points[0], b: points[1] } : { ...now, points };
    const wrong = wrongOf([after]);
    error.textContent = wrong ?? "";
    if (!wrong) drawing.movePoint(key, i, point, `field ${key} ${i} ${axis}`);
  };
  const fields = (/** @type {Shape} */ shape) => pointsOf(shape).flatMap((_, i) => [0, 1].map((axis) => {
    const el = h("input", { type: "number", step: "any", "aria-label": `Point ${i + 1}, ${axis ? "y" : "x"} in pixels`, "data-field": `point ${i} ${axis}` });
    el.addEventListener("change", () => take(el, i, axis));
    return el;
  }));
  return {
    root,
    update: (/** @type {Shape} */ shape) => {
      const points = pointsOf(shape);
      if (root.children.length !== 2 * points.length) root.replaceChildren(...fields(shape));
      points.flat().forEach((value, n) => show(/** @type {HTMLInputElement} */ (root.children[n]), String(Math.round(value * side(n % 2) * 100) / 100)));
    },
  };
}

/** @param {Shape} shape @param {Parts} parts */
function classTable(shape, { state }) {
  const head = h("tr", {});
  const body = h("tbody");
  const root = h("table", { class: "plain" }, h("thead", {}, head), body);
  const update = (/** @type {Shape} */ now) => {
    const answer = state.values.preview ?? state.values.counts;
    root.hidden = !answer;
    if (!answer) return;
    const words = now.kind === "line" ? [now.in, now.out] : ["Entered", "Left"];
    head.replaceChildren(h("th", { scope: "col" }, h("span", { class: "hide" }, "Class")), ...words.map((word) => h("th", { scope: "col", class: "num named", title: word }, word)));
    const rows = [...totals(answer.counts, now).labels].map(([label, each]) => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "cell" }, markOf(state.values.classes, label), label)), each.map((n) => h("td", { class: "num" }, int(n)))));
    body.replaceChildren(...(rows.length ? rows : [h("tr", {}, h("td", { class: "muted", colspan: 3 }, now.kind === "line" ? "Nothing crosses here." : "Nothing comes in here."))]));
  };
  update(shape);
  return { root, update };
}
