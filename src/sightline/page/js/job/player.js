// The player: which frame is on the screen, where a point of it is, and what is drawn over it.

import { announce } from "../ui.js";
import { rowAt } from "./frames.js";
import { Overlay } from "./overlay.js";
import { followPointer } from "./pointer.js";
import { held, panned, toPicture, toStage, transformOf, WHOLE, zoomed } from "./view.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./boxes.js").Boxes} Boxes */
/** @typedef {import("./screen.js").VideoScreen | import("./screen.js").StillScreen} Screen */
/** @typedef {(ctx: CanvasRenderingContext2D, toStage: (point: number[]) => number[], scale: number) => void} Painter */

const PICK_PX = 4; // a box is hit this far outside, too

export class Player {
  /** @type {Screen | null} */
  #screen = null;
  /** @type {number | null} row that was asked for and is not shown yet */
  #target = null;
  /** @type {[number, number] | null} */
  #loop = null;
  /** @type {(() => void)[]} */
  #moved = [];
  #speed = 1;

  /**
   * @param {State} state
   * @param {Boxes} boxes
   * @param {HTMLElement} stage in which the picture and the canvas lie
   * @param {HTMLCanvasElement} canvas
   */
  constructor(state, boxes, stage, canvas) {
    this.state = state;
    this.boxes = boxes;
    this.stage = stage;
    this.canvas = canvas;
    this.overlay = new Overlay(this);
    followPointer(this);
    new ResizeObserver(() => this.#fit()).observe(stage);
    state.on(["view"], () => this.#fit());
    state.on(["job"], () => this.#fit());
  }

  // --- the picture

  /** What shows the picture: to be drawn from. */
  get picture() {
    return this.#screen?.picture ?? null;
  }

  /** Pixels of the source. */
  get size() {
    const { width, height } = this.state.values.job?.source ?? {};
    return { width: width || 16, height: height || 9 };
  }

  /** The picture as it is shown: pixels that are not square make another size of it than the source's. */
  get shown() {
    const size = this.#screen?.size;
    return size?.width ? size : this.size;
  }

  /** The stage in CSS pixels. Kept, as asking the browser while a frame is drawn makes it lay out the page. */
  #room = { width: 0, height: 0 };

  /** CSS pixels for a pixel of the source. */
  get scale() {
    const [left, right] = [this.toStage([0, 0]), this.toStage([1, 0])];
    return (right[0] - left[0]) / this.size.width;
  }

  /** @param {number} clientX @param {number} clientY @returns {number[]} 0..1 */
  toPicture(clientX, clientY) {
    const { left, top } = this.stage.getBoundingClientRect();
    return toPicture(this.state.values.view, this.shown, this.#room, [clientX - left - this.stage.clientLeft, clientY - top - this.stage.clientTop]);
  }

  /** @param {number[]} point 0..1 @returns {number[]} CSS pixels from the upper left corner of the stage */
  toStage(point) {
    return toStage(this.state.values.view, this.shown, this.#room, point);
  }

  /** Enlarge around a point of the stage. @param {number} factor @param {number[]} [point] */
  zoom(factor, point) {
    const room = this.#room;
    this.state.set({ view: zoomed(this.state.values.view, this.shown, room, point ?? [room.width / 2, room.height / 2], factor) });
  }

  /** @param {number[]} by CSS pixels */
  pan(by) {
    this.state.set({ view: panned(this.state.values.view, this.shown, this.#room, by) });
  }

  whole() {
    this.state.set({ view: WHOLE });
  }

  #fit() {
    const { width, height } = this.shown;
    this.stage.style.setProperty("--ratio", String(width / height));
    this.#room = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const room = this.#room;
    if (!room.width) return;
    const view = held(this.state.values.view, this.shown, room);
    if (["zoom", "x", "y"].some((name) => view[name] !== this.state.values.view[name])) this.state.set({ view });
    for (const element of this.#screen?.elements ?? []) element.style.transform = transformOf(view, this.shown, room);
    this.overlay.resize(room);
  }

  // --- the frame

  /** @param {() => Screen} make gives on which frames are shown from now on; called once the one before has let go of its elements */
  use(make) {
    const row = this.#target ?? this.state.values.row;
    this.#screen?.end();
    const screen = make();
    this.#screen = screen;
    screen.rate(this.#speed);
    this.seekRow(row);
    this.#tell();
  }

  /** A frame came to the screen. @param {number} row */
  present(row) {
    const { frames } = this.state.values;
    this.boxes.around(frames, row);
    this.#fitOnce();
    if (this.#target === row || !this.paused) this.#target = null;
    this.state.set({ row, shown: true, ...this.#boxesOf(row) });
    this.overlay.draw();
    const next = frames.pts[row + 1] ?? frames.duration;
    if (this.#loop && !this.paused && next >= this.#loop[1]) this.seekUs(this.#loop[0]);
  }

  #fitted = "";

  #fitOnce() {
    const { width, height } = this.shown;
    const now = `${width} ${height}`;
    if (now !== this.#fitted) this.#fit();
    this.#fitted = now;
  }

  /** Draw the frame that is on the screen now, where that is a later one than was drawn. */
  sync() {
    this.#screen?.sync();
  }

  /** Boxes came, or others are wanted: draw those of the frame that is shown. */
  refresh() {
    const { row, shown } = this.state.values;
    if (!shown) return;
    this.state.set(this.#boxesOf(row));
    this.overlay.draw();
  }

  /** Boxes of a frame, and whether these are all: none are drawn while some are on their way. */
  #boxesOf(/** @type {number} */ row) {
    const { frames, filter } = this.state.values;
    if (frames.seq[row] < 0 || frames.failed[row]) return { boxes: [], complete: true };
    const found = this.boxes.at(frames.seq[row]);
    return { boxes: found?.filter(({ label }) => !filter.hidden.has(label)) ?? [], complete: found !== null };
  }

  get paused() {
    return this.#screen?.paused ?? true;
  }

  /** Row that is shown, or on its way. */
  get row() {
    return this.#target ?? this.state.values.row;
  }

  /** Moment of that row, microseconds. */
  get us() {
    return this.state.values.frames?.pts[this.row] ?? 0;
  }

  /** @param {number} row */
  seekRow(row) {
    const { frames } = this.state.values;
    if (!frames?.n) return;
    this.#target = Math.min(frames.n - 1, Math.max(0, row));
    this.boxes.around(frames, this.#target);
    this.#screen?.seek(this.#target);
  }

  /** @param {number} us */
  seekUs(us) {
    const { frames } = this.state.values;
    if (frames?.n) this.seekRow(rowAt(frames.pts, us));
  }

  async play() {
    try {
      await this.#screen?.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") announce(/** @type {Error} */ (error).message);
    }
  }

  pause() {
    this.#screen?.pause();
  }

  /** @param {number} speed */
  rate(speed) {
    this.#speed = speed;
    this.#screen?.rate(speed);
  }

  /** Play from one moment to another, again and again; `null` ends it. @param {number | null} from @param {number} [to] */
  loop(from, to = 0) {
    this.#loop = from === null ? null : [from, to];
    if (from === null) return;
    this.seekUs(from);
    this.play();
  }

  /** @param {() => void} listener called when it begins to play, stops, or shows on another screen */
  onMove(listener) {
    this.#moved.push(listener);
  }

  #tell() {
    for (const listener of this.#moved) listener();
  }

  /** The screen plays, or stops. */
  moved() {
    this.#tell();
  }

  // --- the drawing

  /** @param {Painter} painter called after the boxes on every drawing */
  addPainter(painter) {
    this.overlay.painters.push(painter);
    this.redraw();
  }

  /** Labels of boxes leave these places of names alone, from the next drawing on. @param {number[][]} places x, y and width */
  reserve(places) {
    this.overlay.reserved = places;
  }

  redraw() {
    this.overlay.draw();
  }

  /** Ring a place for a second. @param {number} x source pixels @param {number} y */
  ring(x, y) {
    this.overlay.ring(x, y);
  }

  /** Choose the track at a point, the smallest where several are; none where there is none. @param {number} clientX @param {number} clientY */
  pick(clientX, clientY) {
    const { width, height } = this.size;
    const [x, y] = this.toPicture(clientX, clientY);
    const [px, py, slack] = [x * width, y * height, PICK_PX / this.scale];
    const hits = this.state.values.boxes.filter((/** @type {any} */ b) => px >= b.x1 - slack && px <= b.x2 + slack && py >= b.y1 - slack && py <= b.y2 + slack);
    const area = (/** @type {any} */ b) => (b.x2 - b.x1) * (b.y2 - b.y1);
    hits.sort((/** @type {any} */ a, /** @type {any} */ b) => area(a) - area(b));
    const hit = this.state.values.job.tracked ? hits[0] : undefined;
    this.state.set({ track: hit ? { group: hit.group, track_id: hit.track_id } : null });
  }
}
