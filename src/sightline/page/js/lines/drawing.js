// Changes to lines and zones, each of which can be taken back. What is drawn lies in the state; nothing here touches the page.

import { drawnOn, fromBody, keyOf, made, nextName, ordered, pointsOf, reversed, withPoints } from "./geometry.js";
import { History } from "./history.js";

/** @typedef {import("./geometry.js").Shape} Shape @typedef {import("./geometry.js").Point} Point */

export class Drawing {
  #history = new History();
  /** @type {Shape[] | null} shapes before a gesture that goes on */
  #before = null;

  /** @param {import("../state.js").State} state @param {(words: string) => void} say what screen readers hear */
  constructor(state, say) {
    this.state = state;
    this.say = say;
  }

  /** @returns {Shape[]} */
  get shapes() {
    return this.state.values.shapes;
  }

  /** The chosen shape. @returns {Shape | null} */
  get chosen() {
    return this.shapes.find((s) => s.name === this.state.values.shape) ?? null;
  }

  /** @param {string} key @returns {Shape | undefined} */
  find(key) {
    return this.shapes.find((s) => keyOf(s) === key);
  }

  /** The frame that is drawn on now; undefined where it is the first one, or all are alike. @returns {number | undefined} */
  get frame() {
    const { ground, row } = this.state.values;
    return ground?.drawnOn(row);
  }

  /** Where a shape is in the frame that is shown; null where it cannot be followed. @param {Shape} shape @returns {Point[] | null} */
  seen(shape) {
    return this.followed(pointsOf(shape), shape.frame);
  }

  /** The same of points. @param {Point[]} points @param {number | undefined} frame that they were drawn on @returns {Point[] | null} */
  followed(points, frame) {
    const { ground, row } = this.state.values;
    return ground ? ground.seen(points, frame, row) : points;
  }

  /** Other shapes from here on; one step of undo. @param {Shape[]} shapes @param {Record<string, any>} [more] values that change with them @param {string} [tag] */
  put(shapes, more = {}, tag = "") {
    if (JSON.stringify(shapes) === JSON.stringify(this.shapes)) return;
    this.#history.record(this.shapes, tag);
    this.state.set({ ...more, shapes });
  }

  /** @param {"line" | "zone"} kind @param {Point[]} points */
  add(kind, points) {
    const shape = drawnOn(made(kind, nextName(this.shapes, kind), points), this.frame);
    this.put(ordered([...this.shapes, shape]), { shape: shape.name, tool: "select", draft: null });
    this.say(`${shape.name} drawn`);
  }

  /** @param {string} key @param {(shape: Shape) => Shape} edit @param {string} [tag] */
  change(key, edit, tag) {
    const before = this.find(key);
    if (!before) return;
    const after = edit(before);
    const { shape } = this.state.values;
    this.put(this.#with(key, after), { shape: shape === before.name ? after.name : shape }, tag);
  }

  /** @param {string} key @param {Shape} shape */
  #with(key, shape) {
    return this.shapes.map((s) => (keyOf(s) === key ? shape : s));
  }

  /** Draw a shape anew on the frame that is shown. @param {string} key @param {Point[]} points @param {string} [tag] */
  redraw(key, points, tag) {
    this.change(key, (s) => drawnOn(withPoints(s, points), this.frame), tag);
  }

  /** On the frame that it was drawn on. @param {string} key @param {number} i @param {Point} point @param {string} [tag] */
  movePoint(key, i, point, tag) {
    this.change(key, (s) => withPoints(s, pointsOf(s).map((old, j) => (j === i ? point : old))), tag);
  }

  /** @param {string} key */
  remove(key) {
    const shape = this.find(key);
    if (!shape) return;
    this.put(this.shapes.filter((s) => s !== shape), { shape: null });
    this.say(`${shape.name} deleted. Undo brings it back.`);
  }

  /** @param {string} key */
  reverse(key) {
    const shape = this.find(key);
    if (shape?.kind !== "line") return;
    this.change(key, reversed);
    this.say(`${shape.name} reversed`);
  }

  // --- gestures: many changes, one step

  /** A pointer has taken hold: what follows until `release` is one step. */
  hold() {
    this.#before = this.shapes;
    this.state.set({ live: true });
  }

  /** @param {string} key @param {Point[]} points in the frame that is shown, while a shape is held */
  drag(key, points) {
    const shape = this.find(key);
    if (shape && this.#before) this.state.set({ shapes: this.#with(key, drawnOn(withPoints(shape, points), this.frame)) });
  }

  /** @param {boolean} [keep] whether the gesture is to hold; otherwise all is as it was */
  release(keep = true) {
    const before = this.#before;
    this.#before = null;
    if (!before) return;
    if (!keep) this.state.set({ shapes: before });
    else if (JSON.stringify(before) !== JSON.stringify(this.shapes)) this.#history.record(before);
    this.state.set({ live: false });
  }

  // --- back and forth

  undo() {
    this.#step(this.#history.undo(this.shapes), "Nothing to undo", "Undone");
  }

  redo() {
    this.#step(this.#history.redo(this.shapes), "Nothing to redo", "Done again");
  }

  /** @param {Shape[] | null} shapes @param {string} none @param {string} done */
  #step(shapes, none, done) {
    if (!shapes) return this.say(none);
    const { shape } = this.state.values;
    this.state.set({ shapes, shape: shapes.some((s) => s.name === shape) ? shape : null });
    this.say(done);
  }

  /** What the service has stored is drawn from here on; what was drawn can be brought back. @param {Parameters<typeof fromBody>[0]} body */
  take(body) {
    this.put(fromBody(body), {});
    const { shape } = this.state.values;
    if (!this.shapes.some((s) => s.name === shape)) this.state.set({ shape: null });
  }
}
