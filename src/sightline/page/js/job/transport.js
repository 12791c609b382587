// Play, steps, speed, and where the picture stands.

import { openEvent } from "../lines/evidence.js";
import { $, announce, button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { beside } from "./events.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

/**
 * What is to be said of the boxes of a frame.
 * @param {{frames: import("./frames.js").Frames, row: number, boxes: any[], complete: boolean, shown: boolean, job: any, ahead: number}} values
 * @returns {[string, boolean]} and whether it is a warning
 */
export function boxesSaid({ frames, row, boxes, complete, shown, job, ahead }) {
  if (!shown) return ["", false];
  if (frames.failed[row]) return ["not decoded, no boxes", true];
  if (frames.seq[row] < 0) return ["not looked at", false];
  if (complete) return [boxes.length === 1 ? "1 box" : `${int(boxes.length)} boxes`, false];
  if (frames.seq[row] < ahead) return ["boxes are coming", false];
  return [["failed", "cancelled"].includes(job.state) ? "the job ended before" : "not counted yet", false];
}

/** @param {import("../state.js").State} state @param {import("./player.js").Player} player */
export function mountTransport(state, player) {
  const step = (/** @type {number} */ way) => {
    player.pause();
    player.seekRow(player.row + way);
  };
  const toggle = () => (player.paused ? player.play() : player.pause());
  const event = (/** @type {number} */ way) => {
    const { counts, event: chosen } = state.values;
    const next = beside(counts?.evidence ?? [], chosen, player.us, way);
    if (next) openEvent(state, player, next);
    else announce(way > 0 ? "No later event" : "No earlier event");
  };
  const flat = (/** @type {string} */ label, /** @type {string} */ name, /** @type {() => void} */ act, /** @type {string} */ title) => button(label, { name, text: false, title }, act);
  const play = flat("Play", "play", toggle, "Play or pause (Space)");
  const at = h("span");
  const whole = h("span", { class: "muted wide-only" });
  const time = h("span", { class: "time mono" }, at, whole);
  const frame = h("span", { class: "muted mono frame" });
  const now = h("span", { class: "muted now" });
  const speed = h("select", { "aria-label": "Speed" }, SPEEDS.map((v) => h("option", { value: v, selected: v === 1 }, `${v}×`)));
  speed.addEventListener("change", () => player.rate(Number(speed.value)));
  $("#transport").append(
    h("div", { role: "group", "aria-label": "Playback" },
      flat("Previous event", "event-back", () => event(-1), "Previous event ([)"), flat("Previous frame", "back", () => step(-1), "Previous frame (,)"), play,
      flat("Next frame", "forward", () => step(1), "Next frame (.)"), flat("Next event", "event-forward", () => event(1), "Next event (])")),
    time, frame, h("div", { class: "end" }, now, speed));
  const tell = () => {
    const { frames, row } = state.values;
    if (!frames) return;
    whole.textContent = ` / ${clock(frames.duration / 1e6)}`;
    at.textContent = clock(frames.pts[row] / 1e6, 3);
    frame.textContent = `frame ${frames.frame[row]}`;
    const [words, warns] = boxesSaid(/** @type {any} */ (state.values));
    now.textContent = words;
    now.classList.toggle("lost", warns);
  };
  player.onMove(() => {
    play.setAttribute("aria-label", player.paused ? "Play" : "Pause");
    $("use", play).setAttribute("href", `/page/icons.svg#${player.paused ? "play" : "pause"}`);
  });
  state.on(["row", "shown", "boxes", "complete", "ahead", "frames"], tell);
  tell();
  return { step, toggle, event };
}
