// Lines and zones by pointer: drag, or click and click; whole shapes and single points. Mouse, pen and finger.

import { $ } from "../ui.js";
import { hit, keyOf, moved, onPicture } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point @typedef {import("./geometry.js").Shape} Shape */

const NEAR = 9; // CSS pixels
const FINGER = 18;
const SAME = 5; // a second click of a double click is this near
const HINTS = {
  line: "Drag, or click two points. Enter places a line in the middle. Esc ends.",
  zone: "Click the corners; click the first one again, double click or press Enter to close. Esc ends.",
};
/** @type {Record<"line" | "zone", Point[]>} */
const MIDDLE = { line: [[0.35, 0.5], [0.65, 0.5]], zone: [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]] };

export class Editor {
  /** @type {{kind: "draft" | "shape" | "pick", id: number, from: Point, key: string, points: Point[]} | null} */
  #drag = null;

  /**
   * @param {import("../state.js").State} state
   * @param {any} player
   * @param {import("./drawing.js").Drawing} drawing
   */
  constructor(state, player, drawing) {
    this.state = state;
    this.player = player;
    this.drawing = drawing;
    const canvas = player.canvas;
    canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ e) => this.#down(e));
    canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ e) => this.#move(e));
    canvas.addEventListener("pointerup", (/** @type {PointerEvent} */ e) => this.#up(e));
    canvas.addEventListener("pointercancel", () => this.#cancel());
    canvas.addEventListener("touchstart", (/** @type {TouchEvent} */ e) => this.#touch(e), { passive: false });
    canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => this.key(e));
    state.on(["tool"], () => this.#tell());
    this.#tell();
  }

  // --- what the tools do

  /** @param {string} tool @param {boolean} [place] without a pointer: a shape in the middle at once */
  use(tool, place = false) {
    this.state.set({ tool, draft: null });
    if (tool === "select") return;
    if (place) this.place(tool);
    else this.player.canvas.focus({ preventScroll: true });
  }

  leave() {
    this.#drag = null;
    this.state.set({ draft: null, tool: "select" });
  }

  /** Without a pointer: a shape in the middle, its first point ready for the arrow keys. @param {string} tool */
  place(tool) {
    this.drawing.add(tool === "line" ? "line" : "zone", MIDDLE[tool === "line" ? "line" : "zone"]);
    $("#handles button")?.focus({ preventScroll: true });
  }

  undo() {
    if (!this.state.values.draft) return this.drawing.undo();
    const draft = this.#draft();
    const points = draft?.points.slice(0, -1) ?? []; // the last one follows the pointer
    if (draft?.kind === "zone" && points.length > 1) this.#put("zone", [...points.slice(0, -1), draft.points[points.length]]);
    else this.leave();
  }

  // --- what is being drawn

  /** As it is seen in the frame that is shown; null where there is nothing. @returns {{kind: "line" | "zone", points: Point[]} | null} */
  #draft() {
    const { draft } = this.state.values;
    const points = draft && this.drawing.followed(draft.points, draft.frame);
    return points && { kind: draft.kind, points };
  }

  /** @param {"line" | "zone"} kind @param {Point[]} points the last one follows the pointer */
  #put(kind, points) {
    this.state.set({ draft: { kind, points, frame: this.drawing.frame } });
  }

  // --- pointers

  /** @param {{clientX: number, clientY: number}} e @returns {Point} 0..1 of the picture, on it */
  at(e) {
    return onPicture(this.player.toPicture(e.clientX, e.clientY));
  }

  /** How far apart two points are on the screen. @param {Point} a @param {Point} b */
  #apart(a, b) {
    const [[ax, ay], [bx, by]] = [this.player.toStage(a), this.player.toStage(b)];
    return Math.hypot(ax - bx, ay - by);
  }

  /** @param {{clientX: number, clientY: number, pointerType?: string}} e @returns {Shape | null} */
  #hit(e) {
    if (!this.state.values.show.zones) return null;
    const at = this.player.toStage(this.player.toPicture(e.clientX, e.clientY));
    const seen = (/** @type {Shape} */ shape) => (this.drawing.seen(shape) ?? []).map((p) => this.player.toStage(p));
    return hit(this.drawing.shapes, at, seen, e.pointerType === "mouse" ? NEAR : FINGER);
  }

  /** A finger on a line moves the line, not the page. @param {TouchEvent} e */
  #touch(e) {
    const { tool } = this.state.values;
    if (e.touches.length === 1 && (tool === "line" || tool === "zone" || (tool === "select" && this.#hit(e.touches[0])))) e.preventDefault();
  }

  /** @param {PointerEvent} e */
  #down(e) {
    const { tool } = this.state.values;
    if (!e.isPrimary) return this.#cancel(); // two fingers move the picture
    if (e.button !== 0 || e.shiftKey || !["select", "line", "zone"].includes(tool)) return;
    const p = this.at(e);
    if (tool === "line") this.#begin(e, p);
    else if (tool === "zone") this.#corner(p);
    else this.#grab(e);
    if (this.#drag) this.player.canvas.setPointerCapture(e.pointerId);
  }

  /** @param {PointerEvent} e @param {Point} p */
  #begin(e, p) {
    this.#put("line", [this.#draft()?.points[0] ?? p, p]);
    this.#drag = { kind: "draft", id: e.pointerId, from: p, key: "", points: [] };
  }

  /** @param {Point} p */
  #corner(p) {
    const points = this.#draft()?.points.slice(0, -1) ?? [];
    const last = points.at(-1);
    const again = last && this.#apart(last, p) < SAME;
    const closes = points.length >= 3 && (again || this.#apart(points[0], p) < NEAR * 1.6);
    if (closes) this.drawing.add("zone", points);
    else if (!again) this.#put("zone", [...points, p, p]);
  }

  /** @param {PointerEvent} e */
  #grab(e) {
    const shape = this.#hit(e);
    const from = /** @type {Point} */ (this.player.toPicture(e.clientX, e.clientY));
    this.#drag = { kind: shape ? "shape" : "pick", id: e.pointerId, from, key: shape ? keyOf(shape) : "", points: (shape && this.drawing.seen(shape)) ?? [] };
    if (!shape) return;
    e.preventDefault();
    this.drawing.hold();
    this.state.set({ shape: shape.name });
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const draft = this.#draft();
    if (draft) this.#put(draft.kind, [...draft.points.slice(0, -1), this.at(e)]);
    const drag = this.#drag;
    if (drag?.kind === "shape" && e.pointerId === drag.id) {
      const [x, y] = this.player.toPicture(e.clientX, e.clientY);
      this.drawing.drag(drag.key, moved(drag.points, [x - drag.from[0], y - drag.from[1]]));
    } else if (!drag) this.player.canvas.classList.toggle("over", this.state.values.tool === "select" && Boolean(this.#hit(e)));
  }

  /** @param {PointerEvent} e */
  #up(e) {
    const drag = this.#drag;
    if (!drag || e.pointerId !== drag.id) return;
    this.#drag = null;
    if (drag.kind === "shape") return this.drawing.release();
    if (drag.kind === "pick") return this.#pick(e, drag.from);
    const [first] = this.#draft()?.points ?? [];
    const p = this.at(e);
    if (first && this.#apart(first, p) >= NEAR) this.drawing.add("line", [first, p]);
  }

  /** A click beside all shapes is for the boxes. @param {PointerEvent} e @param {Point} from */
  #pick(e, from) {
    if (this.#apart(from, this.player.toPicture(e.clientX, e.clientY)) > SAME) return;
    this.player.pick(e.clientX, e.clientY);
    if (!this.state.values.track) this.state.set({ shape: null });
  }

  #cancel() {
    if (this.#drag?.kind === "shape") this.drawing.release(false);
    this.#drag = null;
  }

  // --- keys of the canvas

  /** @param {KeyboardEvent} e */
  key(e) {
    const { tool } = this.state.values;
    if (tool !== "line" && tool !== "zone") return;
    const draft = this.#draft();
    const corners = draft?.points.slice(0, -1) ?? [];
    if (e.key === "Escape") this.leave();
    else if (e.key === "Backspace" && draft) this.undo();
    else if (e.key === "Enter" && tool === "zone" && corners.length >= 3) this.drawing.add("zone", corners);
    else if (e.key === "Enter" && !corners.length) this.place(tool);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  #tell() {
    const { tool, loaded } = this.state.values;
    if (!loaded && (tool === "line" || tool === "zone")) {
      this.drawing.say("The lines of this job are not read yet");
      return this.state.set({ tool: "select" });
    }
    const draws = tool === "line" || tool === "zone";
    this.player.canvas.classList.toggle("drawing", draws);
    const hint = $("#hint");
    hint.hidden = !draws;
    hint.textContent = draws ? HINTS[/** @type {"line" | "zone"} */ (tool)] : "";
  }
}
