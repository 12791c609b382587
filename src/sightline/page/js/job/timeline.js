// Timeline: how many are in view, every event, what is missing, and the playhead. A native range input on top gives
// pointer, keyboard and screen reader one and the same control.

import { $, h } from "../ui.js";
import { clock } from "../words.js";
import { markOf } from "./classes.js";
import { area, HEIGHT, lanes, lostRuns, ticks } from "./lanes.js";

const INWARDS = new Set(["in", "enter"]);

/** @param {import("../state.js").State} state @param {import("./player.js").Player} player */
export function mountTimeline(state, player) {
  const root = $("#timeline");
  const svg = h("svg", { class: "lanes", "aria-hidden": "true", height: HEIGHT });
  const head = h("div", { class: "playhead", "aria-hidden": "true" });
  const range = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Position" });
  const hover = h("output", { class: "hover", "aria-hidden": "true" });
  root.append(svg, head, range, hover);
  /** @type {[number, number][]} */
  let lost = [];

  const whole = () => Math.max(1, state.values.frames?.duration ?? 1);

  range.addEventListener("input", () => player.seekRow(range.valueAsNumber));
  // The pointer chooses a moment: frames need not lie evenly, so its place is no share of their number.
  const point = (/** @type {PointerEvent} */ e) => {
    const { left, width } = root.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - left) / width));
  };
  root.addEventListener("pointerdown", (/** @type {PointerEvent} */ e) => {
    if (e.button !== 0 || !state.values.frames) return;
    e.preventDefault();
    range.focus({ preventScroll: true, focusVisible: false });
    root.setPointerCapture(e.pointerId);
    player.seekUs(point(e) * whole());
  });
  root.addEventListener("pointermove", (/** @type {PointerEvent} */ e) => {
    const share = point(e);
    hover.textContent = clock((share * whole()) / 1e6, 1);
    hover.style.left = `${Math.min(95, Math.max(5, share * 100))}%`;
    if (root.hasPointerCapture(e.pointerId)) player.seekUs(share * whole());
  });
  root.addEventListener("pointerleave", () => (hover.textContent = ""));

  const draw = () => {
    const width = root.clientWidth;
    const { frames, overview, counts, shape, job, ahead } = state.values;
    if (!width || !frames) return;
    const x = (/** @type {number} */ us) => (us / whole()) * width;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    const parts = [];
    const until = reached(frames, ahead, job.sampled);
    if (until < frames.n) parts.push(h("rect", { class: "future", x: x(frames.pts[until]), y: 0, width: width - x(frames.pts[until]), height: HEIGHT }));
    const groups = job.groups;
    lanes(groups.length).forEach((lane, i) => {
      const levels = overview?.groups.find((/** @type {any} */ each) => each.group === groups[i].name)?.in_view;
      if (levels) {
        const path = h("path", { class: "density", d: area(levels, lane, (bin) => x(overview.begin_us + bin * overview.bin_us)) });
        path.style.fill = `var(--${markOf(groups[i].labels[0]?.label ?? "").colour})`;
        parts.push(path);
      }
      parts.push(h("line", { class: "base", x1: 0, x2: width, y1: lane.top + lane.height + 0.5, y2: lane.top + lane.height + 0.5 }));
    });
    for (const [from, to] of [...lost, ...(overview?.gaps ?? []).map((/** @type {any} */ gap) => [gap.start_us, gap.end_us])]) {
      parts.push(h("rect", { class: "gap", x: x(from), y: 0, width: Math.max(3, x(to) - x(from)), height: HEIGHT }));
    }
    const events = counts?.evidence ?? [];
    const inwards = (/** @type {any} */ e) => e.kind === "zone_enter" || (e.kind === "line" && isIn(state.values.shapes, e));
    for (const chosen of [false, true]) {
      const those = events.filter((/** @type {any} */ e) => (e.name === shape) === chosen);
      for (const up of [true, false]) {
        const d = ticks(those.filter((/** @type {any} */ e) => inwards(e) === up), x, up);
        if (d) parts.push(h("path", { class: chosen ? "tick chosen" : "tick", d }));
      }
    }
    svg.replaceChildren(...parts);
    moveHead();
  };

  const moveHead = () => {
    const { frames, row } = state.values;
    if (!frames) return;
    const us = frames.pts[row];
    head.style.left = `${(us / whole()) * 100}%`;
    range.value = String(row);
    range.setAttribute("aria-valuetext", `${clock(us / 1e6, 3)}, frame ${frames.frame[row]}`);
  };

  const begin = () => {
    const { frames } = state.values;
    if (!frames) return;
    lost = lostRuns(frames);
    range.max = String(frames.n - 1);
  };
  state.on(["frames"], begin);
  state.on(["frames", "overview", "counts", "shape", "shapes", "ahead"], draw);
  state.on(["row"], moveHead);
  new ResizeObserver(draw).observe(root);
  begin();
  draw();
}

/** First row that has no boxes yet. */
function reached(/** @type {import("./frames.js").Frames} */ frames, /** @type {number} */ ahead, /** @type {number} */ sampled) {
  if (ahead >= sampled) return frames.n;
  const row = frames.seq.indexOf(ahead);
  return row < 0 ? frames.n : row;
}

/** Whether a line was crossed the way that is its "in". */
function isIn(/** @type {any[]} */ shapes, /** @type {any} */ event) {
  const line = shapes.find((each) => each.kind === "line" && each.name === event.name);
  return line?.in ? line.in === event.direction : INWARDS.has(event.direction);
}
