// What is wrong with lines and zones, in words, before the service is asked. Pure; the service checks the same again.

import { drawnOn, sides } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point @typedef {import("./geometry.js").Shape} Shape */

const FARTHEST = 10; // pictures: what is farther away in 0..1 was meant in pixels
const NAME = 100;
const KEYS = { line: ["name", "a", "b", "in", "out", "unit", "video", "frame"], zone: ["name", "points", "unit", "video", "frame"] };

/**
 * Lines and zones of a text, as `sightline count` reads them from a file.
 * @param {string} text
 * @param {{width: number, height: number} | null} size of the picture, for what is in pixels
 * @returns {{shapes: Shape[], wrong: null} | {shapes: null, wrong: string}}
 */
export function parse(text, size) {
  /** @type {Shape[]} */
  const shapes = [];
  try {
    for (const [kind, element, place] of elements(text)) shapes.push(read(kind, element, place, size));
  } catch (error) {
    if (error instanceof Wrong) return { shapes: null, wrong: error.message };
    throw error;
  }
  const wrong = wrongOf(shapes);
  return wrong ? { shapes: null, wrong } : { shapes, wrong: null };
}

/** What is wrong with shapes that are to be drawn; null where nothing is. @param {Shape[]} shapes @returns {string | null} */
export function wrongOf(shapes) {
  const taken = new Set();
  for (const shape of shapes) {
    const wrong = wrongName(shape.name, taken) ?? (shape.kind === "line" ? wrongLine(shape) : wrongZone(shape.name, shape.points));
    if (wrong) return wrong;
    taken.add(shape.name);
  }
  return null;
}

/** @param {string} name @param {Set<string>} taken @returns {string | null} */
export function wrongName(name, taken) {
  if (!name.trim()) return "A line or zone has no name: give it one.";
  if (name.length > NAME) return `“${name.slice(0, 20)}…” is longer than ${NAME} characters.`;
  return taken.has(name) ? `“${name}” is there twice: names of lines and zones must differ.` : null;
}

/** @param {string} inwards @param {string} outwards @returns {string | null} */
export function wrongDirections(inwards, outwards) {
  if (!inwards.trim() || !outwards.trim()) return "A direction has no name: give it one.";
  if (Math.max(inwards.length, outwards.length) > NAME) return `Names of directions have at most ${NAME} characters.`;
  return inwards === outwards ? `Both directions are called “${inwards}”: give them two names.` : null;
}

/** @param {import("./geometry.js").Line} line */
function wrongLine({ name, a, b, ...names }) {
  const word = wrongDirections(names.in, names.out);
  if (word) return `Line “${name}”: ${word}`;
  if (a[0] === b[0] && a[1] === b[1]) return `Line “${name}”: both ends are one point. Move one of them.`;
  return far([a, b]) ?? (isSeen("line", [a, b]) ? null : `Line “${name}” lies outside the picture: some part of it must be on it.`);
}

/** @param {string} name @param {Point[]} points */
function wrongZone(name, points) {
  if (new Set(points.map(String)).size < 3) return `Zone “${name}” needs three different points or more.`;
  if (points.length > 200) return `Zone “${name}” has ${points.length} points; 200 are allowed.`;
  if (straight(points)) return `Zone “${name}”: all points lie on one line, so nothing is inside.`;
  return far(points) ?? (isSeen("zone", points) ? null : `Zone “${name}” lies outside the picture: some part of it must be on it.`);
}

/** Whether some part of a shape is on the picture. @param {"line" | "zone"} kind @param {Point[]} points */
export const isSeen = (kind, points) => sides(kind, points).some(([a, b]) => touches(a, b)) || (kind === "zone" && encloses(points, [0.5, 0.5]));

/** @param {Point[]} points */
function far(points) {
  const found = points.find((p) => Math.max(...p.map(Math.abs)) > FARTHEST);
  return found ? `Point ${JSON.stringify(found)} is far from the picture: coordinates are 0 to 1. For pixels say "unit": "px".` : null;
}

class Wrong extends Error {}

/** @param {string} text @returns {["line" | "zone", any, string][]} */
function elements(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new Wrong(`This is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (Array.isArray(found)) {
    return found.map((each, i) => [each && typeof each === "object" && "points" in each ? "zone" : "line", each, `Entry ${i + 1}`]);
  }
  if (!found || typeof found !== "object") throw new Wrong('An object with "lines" and "zones" is expected, or a list of them.');
  const strange = Object.keys(found).find((key) => !["lines", "zones", "video", "frame"].includes(key));
  if (strange !== undefined) throw new Wrong(`Unknown key “${strange}”: “lines” and “zones” are expected.`);
  const drawn = (/** @type {any} */ each) => (each && typeof each === "object" && "frame" in found ? { frame: found.frame, ...each } : each);
  return [...listed(found.lines, "line", drawn), ...listed(found.zones, "zone", drawn)];
}

/** @param {any} list @param {"line" | "zone"} kind @param {(element: any) => any} drawn with the frame of the file @returns {["line" | "zone", any, string][]} */
function listed(list, kind, drawn) {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw new Wrong(`“${kind}s” is a list.`);
  return list.map((each, i) => [kind, drawn(each), `${kind === "line" ? "Line" : "Zone"} ${i + 1}`]);
}

/** @param {"line" | "zone"} kind @param {any} element @param {string} place @param {{width: number, height: number} | null} size @returns {Shape} */
function read(kind, element, place, size) {
  if (!element || typeof element !== "object" || Array.isArray(element)) throw new Wrong(`${place} is no object.`);
  const needed = kind === "line" ? ["name", "a", "b"] : ["name", "points"];
  const lacks = needed.find((key) => !(key in element));
  if (lacks) throw new Wrong(`${place} has no “${lacks}”: it needs ${needed.map((key) => `“${key}”`).join(", ")}.`);
  const strange = Object.keys(element).find((key) => !KEYS[kind].includes(key));
  if (strange !== undefined) throw new Wrong(`${place}: unknown key “${strange}”.`);
  for (const key of ["name", "in", "out"]) {
    if (key in element && typeof element[key] !== "string") throw new Wrong(`${place}: “${key}” is a text.`);
  }
  const frame = element.frame ?? undefined;
  if (frame !== undefined && !(Number.isSafeInteger(frame) && frame >= 0)) throw new Wrong(`${place}: “frame” is the number of a frame, from 0.`);
  const points = kind === "line" ? [element.a, element.b] : element.points;
  if (!Array.isArray(points) || !points.every(isPoint)) throw new Wrong(`${place}: points are pairs of numbers, [x, y].`);
  const whole = unitary(points, element.unit ?? "norm", place, size); // never rounded: the same file counts the same here
  if (kind === "zone") return drawnOn({ kind, name: element.name, points: whole }, frame);
  return drawnOn({ kind, name: element.name, a: whole[0], b: whole[1], in: element.in ?? "in", out: element.out ?? "out" }, frame);
}

/** @param {any} value */
const isPoint = (value) => Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === "number" && Number.isFinite(v));

/** @param {Point[]} points @param {any} unit @param {string} place @param {{width: number, height: number} | null} size @returns {Point[]} */
function unitary(points, unit, place, size) {
  if (unit === "norm") return points;
  if (unit !== "px") throw new Wrong(`${place}: “unit” is norm (0 to 1) or px (pixels).`);
  if (!size) throw new Wrong(`${place} is in pixels, and the size of the picture is not known yet.`);
  return points.map(([x, y]) => [x / size.width, y / size.height]);
}

/** Whether a segment and the picture have a point in common (Liang and Barsky). @param {Point} a @param {Point} b */
function touches(a, b) {
  let [first, last] = [0, 1];
  for (const axis of [0, 1]) {
    const [start, step] = [a[axis], b[axis] - a[axis]];
    if (step === 0) {
      if (start < 0 || start > 1) return false;
      continue;
    }
    const [enters, leaves] = [-start / step, (1 - start) / step].sort((p, q) => p - q);
    [first, last] = [Math.max(first, enters), Math.min(last, leaves)];
  }
  return first <= last;
}

/** Whether a ray to the right crosses the outline an odd number of times. @param {Point[]} points @param {Point} at */
export function encloses(points, [x, y]) {
  let odd = false;
  points.forEach(([x1, y1], i) => {
    const [x2, y2] = points[(i + 1) % points.length];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  });
  return odd;
}

/** Whether one straight line leads through all points. @param {Point[]} points */
function straight(points) {
  const [[x, y], ...others] = points;
  const size = (/** @type {Point} */ [a, b]) => Math.abs(a - x) + Math.abs(b - y);
  const most = others.reduce((far, p) => (size(p) > size(far) ? p : far));
  const [fx, fy] = [most[0] - x, most[1] - y];
  return others.every(([a, b]) => Math.abs((a - x) * fy - (b - y) * fx) <= 1e-9 * size(most) ** 2);
}
