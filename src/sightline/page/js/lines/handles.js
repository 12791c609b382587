// The points of the chosen shape as buttons over the picture: dragged, or moved by the arrow keys.

import { $, h } from "../ui.js";
import { keyOf, onPicture } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point */

/** @type {Record<string, Point>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Handles {
  /**
   * @param {import("../state.js").State} state
   * @param {any} player
   * @param {import("./drawing.js").Drawing} drawing
   * @param {import("./editor.js").Editor} editor
   */
  constructor(state, player, drawing, editor) {
    this.state = state;
    this.player = player;
    this.drawing = drawing;
    this.editor = editor;
    this.root = $("#handles");
    state.on(["shapes", "shape", "tool", "view", "show", "job", "ground"], () => this.layout());
    state.on(["row"], () => state.values.ground?.moves && this.layout());
    new ResizeObserver(() => this.layout()).observe(player.canvas);
    this.layout();
  }

  /** Buttons follow the shape; those that are there are moved, not built again, so that focus stays. */
  layout() {
    const { tool, show } = this.state.values;
    const shape = tool === "select" && show.zones ? this.drawing.chosen : null;
    const points = (shape && this.drawing.seen(shape)) ?? [];
    while (this.root.children.length > points.length) this.root.lastChild.remove();
    while (this.root.children.length < points.length) this.root.append(this.#handle(this.root.children.length));
    points.forEach((point, i) => {
      const el = this.root.children[i];
      const [x, y] = this.player.toStage(point);
      el.style.left = `${x}px`;
      el.style.top = `${y}px`;
      el.setAttribute("aria-label", `${shape?.name}, point ${i + 1} of ${points.length}: ${this.#words(point)}. Arrow keys move it.`);
    });
  }

  /** @param {Point} point */
  #words([x, y]) {
    const { width, height } = this.player.size;
    return `${Math.round(x * width)} right, ${Math.round(y * height)} down`;
  }

  /** @param {number} i */
  #handle(i) {
    const el = h("button", { type: "button", class: "handle" });
    el.addEventListener("pointerdown", (/** @type {PointerEvent} */ e) => this.#grab(el, e, i));
    el.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => this.#key(e, i));
    return el;
  }

  /** @param {HTMLElement} el @param {PointerEvent} e @param {number} i */
  #grab(el, e, i) {
    const shape = this.drawing.chosen;
    const before = shape && this.drawing.seen(shape);
    if (e.button !== 0 || e.shiftKey || !e.isPrimary || !before) return;
    const key = keyOf(shape);
    this.drawing.hold();
    el.setPointerCapture(e.pointerId);
    const move = (/** @type {PointerEvent} */ m) => this.drawing.drag(key, before.map((old, j) => (j === i ? this.editor.at(m) : old)));
    const end = (/** @type {PointerEvent} */ m) => {
      el.removeEventListener("pointermove", move);
      for (const type of ["pointerup", "pointercancel"]) el.removeEventListener(type, /** @type {EventListener} */ (end));
      this.drawing.release(m.type === "pointerup");
    };
    el.addEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) el.addEventListener(type, /** @type {EventListener} */ (end));
  }

  /** @param {KeyboardEvent} e @param {number} i */
  #key(e, i) {
    const shape = this.drawing.chosen;
    if (!shape || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Delete" || e.key === "Backspace") {
      this.drawing.remove(keyOf(shape));
      this.player.canvas.focus({ preventScroll: true });
    } else if (e.key === "Escape") {
      this.state.set({ shape: null });
      this.player.canvas.focus({ preventScroll: true });
    } else if (WAYS[e.key]) this.#nudge(keyOf(shape), i, WAYS[e.key], e.shiftKey ? 10 : 1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  /** @param {string} key @param {number} i @param {Point} way @param {number} step pixels of the picture */
  #nudge(key, i, [dx, dy], step) {
    const shape = this.drawing.find(key);
    const points = shape && this.drawing.seen(shape);
    if (!points) return;
    const [x, y] = points[i];
    const { width, height } = this.player.size;
    /** @type {Point} */
    const to = [x + (dx * step) / width, y + (dy * step) / height];
    const isOn = [x, y].every((v) => v >= 0 && v <= 1); // one from a file may lie beyond the picture
    this.drawing.redraw(key, points.map((old, j) => (j !== i ? old : isOn ? onPicture(to) : to)), `nudge ${key} ${i}`);
  }
}
