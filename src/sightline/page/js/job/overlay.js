// Draws boxes, ids and trails on a canvas over the picture, for the frame that is on the screen; then what others paint.

import { HUES, markOf } from "./classes.js";
import { HEIGHT, placed } from "./labels.js";
import { trailsOf, wayOf } from "./trails.js";

/** @typedef {import("./boxes.js").Box} Box */

const RING_MS = 1000;
const FEW = 600; // CSS pixels: on a narrow picture only the chosen track has a label

const css = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Overlay {
  /** @type {import("./player.js").Painter[]} */
  painters = [];
  /** Where painters put names that stay: x, y and width; labels of boxes go elsewhere. @type {number[][]} */
  reserved = [];
  /** @type {Map<string, number>} widths of texts that were measured */
  #widths = new Map();
  /** @type {Map<string, {colour: string, shape: string}>} */
  #marks = new Map();
  /** @type {{x: number, y: number, since: number} | null} */
  #ring = null;
  #due = false;
  #room = { width: 0, height: 0 };

  /** @param {import("./player.js").Player} player */
  constructor(player) {
    this.player = player;
    this.state = player.state;
    this.ctx = /** @type {CanvasRenderingContext2D} */ (player.canvas.getContext("2d"));
    this.colours = Object.fromEntries(HUES.map((hue) => [hue, css(`--mark-${hue}`)]));
    this.selected = css("--mark-selected");
    this.casing = css("--casing");
    this.font = `600 11px ${css("--sans")}`;
    this.state.on(["show", "track", "filter"], () => this.later());
  }

  /** @param {{width: number, height: number}} room CSS pixels */
  resize(room) {
    const { canvas } = this.player;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(room.width * ratio), Math.round(room.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.#room = room;
    this.draw();
  }

  /** Draw once before the next frame of the page, however often it is asked for. */
  later() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.player.refresh();
    });
  }

  draw() {
    const { ctx, state, player } = this;
    const { show, boxes, track, shown } = state.values;
    const ratio = devicePixelRatio || 1;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.#room.width, this.#room.height);
    if (shown) {
      const seen = boxes.map((/** @type {Box} */ box) => this.#mark(box, track)).filter(Boolean);
      if (show.trails && state.values.job.tracked) this.#trails(seen);
      if (track) this.#way(track);
      if (show.boxes) this.#boxes(seen);
      if (show.ids) this.#labels(seen);
    }
    for (const paint of this.painters) {
      ctx.save();
      paint(ctx, (point) => player.toStage(point), player.scale);
      ctx.restore();
    }
    if (this.#ring) this.#drawRing(this.#ring);
  }

  /** A box as it lies on the stage; null where it is outside. */
  #mark(/** @type {Box} */ box, /** @type {{group: string, track_id: number} | null} */ track) {
    const { width, height } = this.player.size;
    const [x1, y1] = this.player.toStage([box.x1 / width, box.y1 / height]);
    const [x2, y2] = this.player.toStage([box.x2 / width, box.y2 / height]);
    if (x2 < 0 || y2 < 0 || x1 > this.#room.width || y1 > this.#room.height) return null;
    const chosen = track?.group === box.group && track.track_id === box.track_id;
    const place = this.state.values.job.groups.findIndex((/** @type {any} */ each) => each.name === box.group);
    let mark = this.#marks.get(box.label);
    if (!mark) this.#marks.set(box.label, (mark = markOf(box.label)));
    return { box, chosen, at: [x1, y1, x2, y2], place, ...mark };
  }

  /**
   * A stroke with a dark casing, so that it holds on bright and on dark pixels.
   * @param {string} colour @param {number} width @param {(ctx: CanvasRenderingContext2D) => void} trace @param {number[]} [dash]
   */
  cased(colour, width, trace, dash = []) {
    const { ctx } = this;
    ctx.lineJoin = "round";
    ctx.lineCap = dash.length && dash[0] > 1 ? "butt" : "round";
    ctx.beginPath();
    trace(ctx);
    ctx.strokeStyle = this.casing;
    ctx.lineWidth = width + 2;
    ctx.globalAlpha = dash.length ? 0.45 : 0.75;
    ctx.stroke();
    ctx.setLineDash(dash);
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.globalAlpha = 1;
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /**
   * Boxes that look the same are one stroke, so that many cost little. The first group has closed boxes, the second corners,
   * others dashes: groups are told without colour.
   */
  #boxes(/** @type {any[]} */ seen) {
    const alike = Map.groupBy(seen, ({ chosen, place, colour }) => `${chosen} ${Math.min(place, 2)} ${colour}`);
    for (const those of alike.values()) {
      const [{ chosen, place, colour }] = those;
      const trace = (/** @type {CanvasRenderingContext2D} */ ctx) => those.forEach(({ at }) => this.#outline(ctx, at, place));
      this.cased(chosen ? this.selected : this.colours[colour], chosen ? 2.5 : 1.5, trace, place > 1 ? [6, 3] : []);
    }
  }

  #outline(/** @type {CanvasRenderingContext2D} */ ctx, /** @type {number[]} */ [x1, y1, x2, y2], /** @type {number} */ place) {
    if (place !== 1) return ctx.rect(x1, y1, x2 - x1, y2 - y1);
    const c = Math.min(x2 - x1, y2 - y1) * 0.34;
    for (const [x, y, sx, sy] of [[x1, y1, 1, 1], [x2, y1, -1, 1], [x2, y2, -1, -1], [x1, y2, 1, -1]]) {
      ctx.moveTo(x + sx * c, y);
      ctx.lineTo(x, y);
      ctx.lineTo(x, y + sy * c);
    }
  }

  #width(/** @type {string} */ text) {
    let width = this.#widths.get(text);
    if (width === undefined) {
      if (this.#widths.size > 2000) this.#widths.clear();
      width = this.ctx.measureText(text).width;
      this.#widths.set(text, width);
    }
    return width;
  }

  #labels(/** @type {any[]} */ seen) {
    const { ctx } = this;
    const { tracked } = this.state.values.job;
    const taken = [...this.reserved];
    ctx.font = this.font;
    ctx.textBaseline = "middle";
    for (const { box, at, chosen, colour, shape } of seen) {
      if (this.#room.width < FEW && !chosen) continue;
      const text = tracked ? `${box.label} ${box.track_id}` : `${box.label} ${box.confidence.toFixed(2)}`;
      const width = this.#width(text) + 20;
      const [x, y] = placed(at, width, this.#room, taken);
      taken.push([x, y, width]);
      ctx.fillStyle = chosen ? this.selected : this.casing;
      ctx.globalAlpha = chosen ? 1 : 0.8;
      ctx.beginPath();
      ctx.roundRect(x, y, width, HEIGHT, 3);
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.fillStyle = chosen ? this.casing : this.colours[colour];
      this.#glyph(shape, x + 8.5, y + 8, 3.8);
      ctx.fillStyle = chosen ? this.casing : "#fff";
      ctx.fillText(text, x + 15.5, y + 8.5);
    }
  }

  #glyph(/** @type {string} */ shape, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r) {
    const { ctx } = this;
    const corners = { diamond: [4, 0, 1.25], hexagon: [6, 0, 1.1], triangle: [3, -Math.PI / 2, 1.25] }[shape];
    ctx.beginPath();
    if (shape === "circle") ctx.arc(x, y, r, 0, 7);
    else if (shape === "bar") ctx.rect(x - r * 1.2, y - r * 0.6, r * 2.4, r * 1.2);
    else if (!corners) ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
    else for (let i = 0; i < corners[0]; i++) {
      const angle = corners[1] + (i * 2 * Math.PI) / corners[0];
      ctx.lineTo(x + r * corners[2] * Math.cos(angle), y + r * corners[2] * Math.sin(angle));
    }
    ctx.fill();
  }

  /** Where something stood in some frames: on the ground, so that a camera that moves leaves no way behind what stands. */
  #line(/** @type {number[][]} */ points) {
    const { width, height } = this.player.size;
    const { ground, row } = this.state.values;
    (ground ? ground.followed(points, row) : points).forEach((/** @type {number[]} */ [px, py], /** @type {number} */ i) => {
      const [x, y] = this.player.toStage([px / width, py / height]);
      if (i) this.ctx.lineTo(x, y);
      else this.ctx.moveTo(x, y);
    });
  }

  #trails(/** @type {any[]} */ seen) {
    const { ctx } = this;
    const { frames, row } = this.state.values;
    const trails = trailsOf(this.player.boxes, frames, row, [...new Set(seen.map(({ box }) => box.group))]);
    ctx.lineWidth = 2;
    ctx.lineJoin = "round";
    ctx.globalAlpha = 0.7;
    for (const [colour, those] of Map.groupBy(seen, (each) => each.colour)) {
      ctx.strokeStyle = this.colours[colour];
      ctx.beginPath();
      for (const { box } of those) this.#line(trails.get(`${box.group}:${box.track_id}`) ?? []);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }

  /** The chosen track as far as it is known: solid where it has been, dotted where it goes. */
  #way(/** @type {{group: string, track_id: number}} */ track) {
    const { frames, row } = this.state.values;
    const way = wayOf(this.player.boxes, track);
    const seq = frames.seq[row];
    if (seq < 0) return;
    let here = way.findIndex((point) => point[2] > seq);
    if (here < 0) here = way.length;
    this.cased(this.selected, 2, () => this.#line(way.slice(0, here)));
    this.cased(this.selected, 1.5, () => this.#line(way.slice(Math.max(0, here - 1))), [1, 6]);
  }

  /** Ring a place for a second. @param {number} x source pixels @param {number} y */
  ring(x, y) {
    this.#ring = { x, y, since: performance.now() };
    const step = () => {
      if (!this.#ring) return;
      if (performance.now() - this.#ring.since > RING_MS) this.#ring = null;
      this.draw();
      if (this.#ring) requestAnimationFrame(step);
    };
    step();
  }

  #drawRing(/** @type {{x: number, y: number, since: number}} */ { x, y, since }) {
    const { width, height } = this.player.size;
    const [cx, cy] = this.player.toStage([x / width, y / height]);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const grown = still ? 0.5 : Math.min(1, (performance.now() - since) / RING_MS);
    this.cased(this.selected, 2.5, (ctx) => ctx.arc(cx, cy, 28 - 16 * grown, 0, 7));
  }
}
