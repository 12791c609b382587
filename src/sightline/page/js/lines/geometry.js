// Lines and zones as the page holds them, and where they lie on the screen. Pure. Points are 0..1 of the picture that they were
// drawn on: `frame` is its number where that is another one than the first, and matters where the camera moves.

/**
 * @typedef {[number, number]} Point
 * @typedef {{kind: "line", name: string, a: Point, b: Point, in: string, out: string, frame?: number}} Line
 * @typedef {{kind: "zone", name: string, points: Point[], frame?: number}} Zone
 * @typedef {Line | Zone} Shape
 * @typedef {{name: string, a: Point, b: Point, in?: string, out?: string, frame?: number}} LineBody
 * @typedef {{name: string, points: Point[], frame?: number}} ZoneBody
 */

const DIGITS = 1e6; // a step of 1e-6 is less than a hundredth of a pixel of any picture

/** What tells a shape from all others: a line and a zone may have one name. @param {{kind: string, name: string}} shape */
export const keyOf = (shape) => `${shape.kind} ${shape.name}`;

/** @param {Shape} shape @returns {Point[]} */
export const pointsOf = (shape) => (shape.kind === "line" ? [shape.a, shape.b] : shape.points);

/** @param {Shape} shape @param {Point[]} points @returns {Shape} the same shape elsewhere */
export function withPoints(shape, points) {
  const tidy = points.map(rounded);
  return shape.kind === "line" ? { ...shape, a: tidy[0], b: tidy[1] } : { ...shape, points: tidy };
}

/** @param {"line" | "zone"} kind @param {string} name @param {Point[]} points @returns {Shape} */
export function made(kind, name, points) {
  const [a, b] = points;
  return withPoints(kind === "line" ? { kind, name, a, b, in: "in", out: "out" } : { kind, name, points }, points);
}

/** @template {object} S @param {S & {frame?: number}} shape @param {number | undefined} frame @returns {S} the same shape, drawn on another frame */
export function drawnOn({ frame: _, ...shape }, frame) {
  return /** @type {any} */ (frame === undefined ? shape : { ...shape, frame });
}

/** @param {Point} point @returns {Point} */
const rounded = ([x, y]) => [Math.round(x * DIGITS) / DIGITS, Math.round(y * DIGITS) / DIGITS];

/** Lines before zones, as they are stored, each in the order of drawing. @param {Shape[]} shapes */
export const ordered = (shapes) => [...shapes.filter((s) => s.kind === "line"), ...shapes.filter((s) => s.kind === "zone")];

/** @param {{lines: LineBody[], zones: ZoneBody[]}} body as the service has them @returns {Shape[]} */
export function fromBody({ lines, zones }) {
  return [
    ...lines.map(({ name, a, b, frame, ...names }) => drawnOn(/** @type {Line} */ ({ kind: "line", name, a, b, in: names.in ?? "in", out: names.out ?? "out" }), frame)),
    ...zones.map(({ name, points, frame }) => drawnOn(/** @type {Zone} */ ({ kind: "zone", name, points }), frame)),
  ];
}

/** @param {Shape[]} shapes @returns {{lines: LineBody[], zones: ZoneBody[]}} as the service, and files, have them */
export function toBody(shapes) {
  /** @type {{lines: LineBody[], zones: ZoneBody[]}} */
  const body = { lines: [], zones: [] };
  for (const shape of shapes) {
    if (shape.kind === "zone") body.zones.push(drawnOn({ name: shape.name, points: shape.points }, shape.frame));
    else body.lines.push(drawnOn({ name: shape.name, a: shape.a, b: shape.b, ...directions(shape) }, shape.frame));
  }
  return body;
}

/** Names of directions where they have any. @param {Line} line */
function directions(line) {
  return { ...(line.in === "in" ? {} : { in: line.in }), ...(line.out === "out" ? {} : { out: line.out }) };
}

/** The text of a file that `sightline count` reads: a line of it for each shape. @param {Shape[]} shapes */
export function toText(shapes) {
  const { lines, zones } = toBody(shapes);
  const list = (/** @type {unknown[]} */ each) => (each.length ? `[\n${each.map((e) => `    ${JSON.stringify(e)}`).join(",\n")}\n  ]` : "[]");
  return `{\n  "lines": ${list(lines)},\n  "zones": ${list(zones)}\n}\n`;
}

/** @param {Shape} line @returns {Shape} a and b changed places: in is out, and the arrow turns */
export const reversed = (line) => withPoints(line, [...pointsOf(line)].reverse());

/** The first name that no shape has: "Line 1", "Zone 2". @param {Shape[]} shapes @param {"line" | "zone"} kind */
export function nextName(shapes, kind) {
  const taken = new Set(shapes.map((s) => s.name));
  const word = kind === "line" ? "Line" : "Zone";
  let n = 1;
  while (taken.has(`${word} ${n}`)) n++;
  return `${word} ${n}`;
}

const SHORT = 32;

/** A name as it stands on the picture: of a long one its beginning, so that it hides no more than it must. @param {string} name */
export const short = (name) => ([...name].length > SHORT ? `${[...name].slice(0, SHORT - 1).join("")}…` : name);

/** A point of the picture as near as can be. @param {Point} point @returns {Point} */
export const onPicture = ([x, y]) => [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];

/**
 * All points moved by one step, which is shortened where it would lead a point off the picture.
 * @param {Point[]} points
 * @param {Point} step
 * @returns {Point[]}
 */
export function moved(points, step) {
  const [dx, dy] = [0, 1].map((axis) => {
    const values = points.map((p) => p[axis]);
    const [least, most] = [Math.min(0, -Math.min(...values)), Math.max(0, 1 - Math.max(...values))];
    return Math.min(most, Math.max(least, step[axis]));
  });
  return points.map(([x, y]) => [x + dx, y + dy]);
}

/** How far a point is from a segment. @param {Point} p @param {Point} a @param {Point} b */
export function distance([px, py], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/** The sides of a shape, by its points in any unit. @param {"line" | "zone"} kind @param {Point[]} points @returns {[Point, Point][]} */
export function sides(kind, points) {
  const all = points.map((a, i) => /** @type {[Point, Point]} */ ([a, points[(i + 1) % points.length]]));
  return kind === "line" ? all.slice(0, 1) : all;
}

/**
 * The shape whose outline is at a place of the screen: of several the nearest.
 * @param {Shape[]} shapes
 * @param {Point} at CSS pixels
 * @param {(shape: Shape) => Point[]} seen its points in CSS pixels; none where it is not seen
 * @param {number} near CSS pixels
 * @returns {Shape | null}
 */
export function hit(shapes, at, seen, near) {
  let [found, least] = [/** @type {Shape | null} */ (null), near];
  for (const shape of shapes) {
    for (const [a, b] of sides(shape.kind, seen(shape))) {
      const far = distance(at, a, b);
      if (far <= least) [found, least] = [shape, far];
    }
  }
  return found;
}

/** The way to "in" of a line from a to b: to its right, as seen on the screen. Of length 1. @param {Point} a @param {Point} b @returns {Point} */
export function inwards([ax, ay], [bx, by]) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  return [-(by - ay) / length, (bx - ax) / length];
}

/**
 * The arrow on the middle of a line that points to "in", and the places of the two names; null where the line is too short.
 * @param {Point} a CSS pixels
 * @param {Point} b CSS pixels
 * @returns {{from: Point, to: Point, barbs: [Point, Point], in: Point, out: Point} | null}
 */
export function arrow(a, b) {
  if (Math.hypot(b[0] - a[0], b[1] - a[1]) < 12) return null;
  const [nx, ny] = inwards(a, b);
  const [mx, my] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const along = (/** @type {number} */ far, /** @type {number} */ aside = 0) => /** @type {Point} */ ([mx + nx * far - ny * aside, my + ny * far + nx * aside]);
  return { from: [mx, my], to: along(26), barbs: [along(18, 6), along(18, -6)], in: along(42), out: along(-24) };
}

/**
 * Where the name of a shape stands: beyond the upper or left end of a line, above a zone, and always on the picture.
 * @param {Point[]} points CSS pixels
 * @param {number} half of its width
 * @param {{width: number, height: number}} stage
 * @param {{x: number, y: number, half: number}[]} taken places of other names
 * @returns {Point} its middle
 */
export function labelPlace(points, half, stage, taken) {
  const [wishX, above] = wished(points, half);
  const x = Math.min(Math.max(half + 2, wishX), Math.max(half + 2, stage.width - half - 2));
  const wishY = Math.abs(x - wishX) > 4 ? above + (above < 40 ? 24 : -24) : above; // pushed back over its end: beside it
  const inside = (/** @type {number} */ y) => Math.min(Math.max(12, y), Math.max(12, stage.height - 12));
  const free = (/** @type {number} */ y) => taken.every((t) => Math.abs(t.x - x) >= t.half + half || Math.abs(t.y - y) >= 20);
  const places = Array.from({ length: 12 }, (_, i) => inside(wishY + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * 20));
  return [x, places.find(free) ?? places[0]];
}

/** @param {Point[]} points @param {number} half @returns {Point} */
function wished(points, half) {
  const [end, other] = [...points].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  if (points.length > 2) return [points.reduce((sum, p) => sum + p[0], 0) / points.length, end[1] - 16];
  const length = Math.hypot(end[0] - other[0], end[1] - other[1]) || 1;
  return [end[0] + ((end[0] - other[0]) / length) * (half + 10), end[1] + ((end[1] - other[1]) / length) * 20];
}
