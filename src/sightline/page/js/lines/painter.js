// Lines and zones on the picture: outlines, the arrow to "in", names with what was counted so far, and who crosses now.

import { inside, lastUntil, totals, until } from "./counts.js";
import { isSeen } from "./checks.js";
import { arrow, keyOf, labelPlace, short } from "./geometry.js";

/** @typedef {import("./geometry.js").Shape} Shape @typedef {import("./geometry.js").Point} Point */

const FLASH_US = 700_000;
const FEW = 600; // CSS pixels: on a narrow picture only the chosen shape has a name

const css = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Painter {
  /** @type {{x: number, y: number, half: number}[]} */
  #taken = [];

  /** @param {import("./shape_row.js").Parts} parts */
  constructor({ state, player, drawing }) {
    this.state = state;
    this.player = player;
    this.drawing = drawing;
    this.line = css("--mark-line");
    this.selected = css("--mark-selected");
    this.casing = css("--casing");
    this.font = `600 11px ${css("--sans")}`;
    state.on(["shapes", "shape", "draft", "show", "counts", "preview", "ground"], () => player.redraw());
    player.addPainter((/** @type {CanvasRenderingContext2D} */ ctx, /** @type {(p: Point) => Point} */ toStage) => this.paint(ctx, toStage));
  }

  /** The moment that is shown, microseconds. */
  get now() {
    const { frames, row } = this.state.values;
    return frames ? frames.pts[row] : 0;
  }

  /** @param {string} key of a shape @returns {import("./counts.js").Tally | undefined} */
  tally(key) {
    return this.state.values.tallies.get(key);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {(p: Point) => Point} toStage */
  paint(ctx, toStage) {
    const { shapes, show, draft, shape, ground } = this.state.values;
    this.#taken = [];
    if (show.zones) {
      /** @type {string[]} */
      const lost = [];
      for (const each of shapes) {
        const points = this.drawing.seen(each);
        if (!points) lost.push(short(each.name));
        else if (!ground?.moves || isSeen(each.kind, points)) this.#shape(ctx, each, points.map(toStage), each.name === shape, toStage);
      }
      if (lost.length) this.#note(ctx, `Not followed here: ${lost.join(", ")}`);
    }
    this.player.reserve(this.#taken.map(({ x, y, half }) => [x - half, y - 9, 2 * half]));
    const drafted = draft && this.drawing.followed(draft.points, draft.frame);
    if (drafted) this.#draft(ctx, draft.kind, drafted.map(toStage));
  }

  /** @param {CanvasRenderingContext2D} ctx @param {string} colour @param {number} width @param {() => void} trace @param {number[]} [dash] */
  #cased(ctx, colour, width, trace, dash = []) {
    [ctx.lineJoin, ctx.lineCap] = ["round", dash.length ? "butt" : "round"];
    for (const [style, w, alpha, pattern] of /** @type {[string, number, number, number[]][]} */ ([[this.casing, width + 2, dash.length ? 0.45 : 0.75, []], [colour, width, 1, dash]])) {
      ctx.setLineDash(pattern);
      [ctx.strokeStyle, ctx.lineWidth, ctx.globalAlpha] = [style, w, alpha];
      ctx.beginPath();
      trace();
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Shape} shape
   * @param {Point[]} points CSS pixels
   * @param {boolean} chosen
   * @param {(p: Point) => Point} toStage
   */
  #shape(ctx, shape, points, chosen, toStage) {
    const colour = chosen ? this.selected : this.line;
    const flash = this.#flash(shape);
    const trace = () => {
      for (const [x, y] of points) ctx.lineTo(x, y);
      if (shape.kind === "zone") ctx.closePath();
    };
    if (shape.kind === "zone") {
      this.#wash(ctx, colour, trace, chosen || flash !== null);
      this.#cased(ctx, colour, flash || chosen ? 2.5 : 1.5, trace, [8, 5]);
    } else {
      this.#cased(ctx, colour, flash ? 5 : chosen ? 3 : 2, trace);
      this.#arrow(ctx, shape, points, colour, chosen);
    }
    if (flash) {
      const { width, height } = this.player.size;
      const [x, y] = toStage([flash.x / width, flash.y / height]);
      this.#cased(ctx, this.selected, 2, () => ctx.arc(x, y, 9, 0, 7));
    }
    this.#title(ctx, shape, points, chosen);
  }

  /** The event that happens now. @param {Shape} shape */
  #flash(shape) {
    const events = this.tally(keyOf(shape))?.events ?? [];
    const last = events[lastUntil(events, this.now)];
    return last && this.now - last.pts_us < FLASH_US ? last : null;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {string} colour @param {() => void} trace @param {boolean} strong */
  #wash(ctx, colour, trace, strong) {
    [ctx.fillStyle, ctx.globalAlpha] = [colour, strong ? 0.2 : 0.1];
    ctx.beginPath();
    trace();
    ctx.fill("evenodd");
    ctx.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./geometry.js").Line} line @param {Point[]} points @param {string} colour @param {boolean} chosen */
  #arrow(ctx, line, points, colour, chosen) {
    const found = arrow(points[0], points[1]);
    if (!found) return;
    const [left, right] = found.barbs;
    this.#cased(ctx, colour, 2.5, () => {
      for (const [from, to] of [[found.from, found.to], [left, found.to], [right, found.to]]) {
        ctx.moveTo(from[0], from[1]);
        ctx.lineTo(to[0], to[1]);
      }
    });
    if (!chosen || this.player.canvas.clientWidth < FEW) return;
    this.#tag(ctx, short(line.in), found.in);
    this.#tag(ctx, short(line.out), found.out);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {"line" | "zone"} kind @param {Point[]} points */
  #draft(ctx, kind, points) {
    const trace = () => {
      for (const [x, y] of points) ctx.lineTo(x, y);
    };
    if (kind === "zone") {
      this.#wash(ctx, this.selected, trace, true);
      this.#cased(ctx, this.selected, 2.5, trace, [8, 5]);
      const [[x, y]] = points;
      this.#cased(ctx, this.selected, 2, () => ctx.arc(x, y, 7, 0, 7));
    } else {
      this.#cased(ctx, this.selected, 3, trace);
      this.#arrow(ctx, { kind: "line", name: "", a: points[0], b: points[1], in: "in", out: "out" }, points, this.selected, true);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {string} text @param {Point} at its middle @param {boolean} [strong] */
  #tag(ctx, text, [x, y], strong = false) {
    ctx.font = this.font;
    ctx.textBaseline = "middle";
    const width = ctx.measureText(text).width + 10;
    [ctx.fillStyle, ctx.globalAlpha] = [this.casing, 0.8];
    ctx.beginPath();
    ctx.roundRect(x - width / 2, y - 9, width, 18, 3);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.fillStyle = strong ? this.selected : "#fff";
    ctx.fillText(text, x - width / 2 + 5, y + 0.5);
  }

  /** In the upper left corner. @param {CanvasRenderingContext2D} ctx @param {string} text */
  #note(ctx, text) {
    ctx.font = this.font;
    const half = ctx.measureText(text).width / 2 + 5;
    const [x, y] = [half + 6, 15];
    this.#taken.push({ x, y, half });
    this.#tag(ctx, text, [x, y]);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Shape} shape @param {Point[]} points @param {boolean} chosen */
  #title(ctx, shape, points, chosen) {
    const { clientWidth: width, clientHeight: height } = this.player.canvas;
    if (width < FEW && !chosen) return;
    const text = short(shape.name) + (width < FEW ? "" : this.#numbers(shape));
    ctx.font = this.font;
    const half = ctx.measureText(text).width / 2 + 5;
    const at = labelPlace(points, half, { width, height }, this.#taken);
    this.#taken.push({ x: at[0], y: at[1], half });
    this.#tag(ctx, text, at, chosen);
  }

  /** What was counted up to the frame that is shown; while a shape moves, in all. @param {Shape} shape */
  #numbers(shape) {
    const { preview, boxes } = this.state.values;
    if (preview) {
      const all = totals(preview.counts, shape);
      return shape.kind === "line" ? `  ${all.inwards} ${short(shape.in)}, ${all.outwards} ${short(shape.out)} in all` : `  ${all.inwards} entered in all`;
    }
    const tally = this.tally(keyOf(shape));
    if (!tally) return "";
    if (shape.kind === "zone") return `  ${inside(tally, this.now, boxes)} inside`;
    return `  ${until(tally.inwards, this.now)} ${short(shape.in)}, ${until(tally.outwards, this.now)} ${short(shape.out)}`;
  }
}
