// What tells metres: a zone of four corners, and how long its sides are on the ground.

import { h, stored, store } from "../ui.js";

const SIDES = ["1 to 2", "2 to 3", "3 to 4", "4 to 1"];
const HELP = "For km/h draw a zone of four corners on the ground, as large as you can measure, and say how long its sides are: from its first corner to the second, and on around.";
const RECTANGLE = "Without it the zone is taken for a rectangle.";

/** @typedef {{zone: string, sides: string[], diagonal: string}} Known */

/**
 * The plane of what was entered, as the service takes it; null where something is missing.
 * @param {Known} known
 * @param {any[]} shapes
 */
export function planeOf({ zone, sides, diagonal }, shapes) {
  const drawn = shapes.find((s) => s.kind === "zone" && s.name === zone && s.points.length === 4);
  const lengths = sides.map(Number);
  if (!drawn || lengths.some((length) => !(length > 0 && length < Infinity))) return null;
  const plane = { points: drawn.points, unit: "norm", sides: lengths, ...(drawn.frame === undefined ? {} : { frame: drawn.frame }) };
  return Number(diagonal) > 0 ? { ...plane, diagonal: Number(diagonal) } : plane;
}

/** The fields. @param {import("../state.js").State} state @param {() => void} changed */
export function planeFields(state, changed) {
  const key = () => `plane.${state.values.job?.job_id}`;
  /** @type {Known} */
  let known = { zone: "", sides: ["", "", "", ""], diagonal: "" };
  let of = "";
  const zone = h("select", { "aria-label": "Zone that tells metres" });
  const field = (/** @type {string} */ label, /** @type {string | null} */ title = null) => h("input", { type: "number", min: "0", step: "any", inputmode: "decimal", "aria-label": `Metres, ${label}`, title });
  const sides = SIDES.map((label) => field(`corner ${label}`));
  const diagonal = field("corner 1 to 3", RECTANGLE);
  const help = h("p", { class: "muted small" }, HELP);
  const lengths = h("div", { class: "lengths" },
    [...sides, diagonal].map((input, i) => h("label", {}, h("span", { class: "muted small" }, SIDES[i] ? `corner ${SIDES[i]}, m` : "corner 1 to 3, m, if no rectangle"), input)));
  const el = h("fieldset", { class: "heavy plane" }, h("legend", {}, "Metres"), help, h("label", {}, h("span", { class: "muted small" }, "Zone"), zone), lengths);
  const said = () => {
    known = { zone: zone.value, sides: sides.map((input) => input.value), diagonal: diagonal.value };
    store(key(), known);
    lengths.hidden = !zone.value;
    changed();
  };
  for (const input of [zone, ...sides, diagonal]) input.addEventListener("change", said);
  const offer = () => {
    if (of !== key()) {
      of = key();
      known = stored(key(), known);
      sides.forEach((input, i) => (input.value = known.sides[i] ?? ""));
      diagonal.value = known.diagonal;
    }
    const names = state.values.shapes.filter((/** @type {any} */ s) => s.kind === "zone" && s.points.length === 4).map((/** @type {any} */ s) => s.name);
    zone.replaceChildren(h("option", { value: "" }, "None"), ...names.map((/** @type {string} */ name) => h("option", { value: name, selected: name === known.zone }, name)));
    help.hidden = Boolean(names.length && known.zone);
    zone.parentElement.hidden = !names.length;
    lengths.hidden = !zone.value;
  };
  return { el, offer, plane: () => planeOf(known, state.values.shapes) };
}
