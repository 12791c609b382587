// Small pictures of what crosses: the way on the screen, and the class.

import { glyph, h, icon } from "../ui.js";
import { inwards } from "./geometry.js";

/**
 * An arrow turned to where objects go on the picture; for zones one that leads in or out.
 * @param {import("./geometry.js").Shape} shape
 * @param {boolean} isIn
 * @param {{width: number, height: number}} size of the picture
 */
export function heading(shape, isIn, { width, height }) {
  if (shape.kind === "zone") return icon(isIn ? "down" : "upload");
  const [x, y] = inwards([shape.a[0] * width, shape.a[1] * height], [shape.b[0] * width, shape.b[1] * height]);
  const turn = (Math.atan2(y, x) * 180) / Math.PI + (isIn ? 0 : 180);
  return h("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: "M2.5 8h10M9 4.5L12.5 8 9 11.5", transform: `rotate(${turn.toFixed(1)} 8 8)` }));
}

/** The mark of a label as all views show it. @param {{label: string, shape: string, colour: string}[]} classes @param {string} label */
export function markOf(classes, label) {
  const found = classes.find((c) => c.label === label);
  return found ? glyph({ name: found.colour, shape: found.shape }) : null;
}
