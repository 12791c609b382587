// The chosen track: a crop of the picture, what is known of it, its events.

import { askJson } from "../api.js";
import { openEvent } from "../lines/evidence.js";
import { $, button, glyph, h } from "../ui.js";
import { clock } from "../words.js";
import { markOf } from "./classes.js";
import { say } from "./notices.js";
import { saidOf } from "./summary.js";
import { wayOf } from "./trails.js";

const CROP = { width: 128, height: 96 };
const LEAST_PX = 64; // of the source, across a crop

/** @typedef {import("../state.js").State} State */

/** @param {State} state @param {import("./player.js").Player} player */
export function mountTrack(state, player) {
  const root = $("#track");
  const canvas = h("canvas", { ...CROP, "aria-hidden": "true" });
  /** @type {any} */
  let summary = null;
  let asked = false;

  /** `summary.json` of the result, once, when the first track is chosen. */
  const learn = async () => {
    if (asked || state.values.job.state !== "ready") return;
    asked = true;
    try {
      summary = await askJson(`/jobs/${state.values.job.job_id}/results/summary.json`);
      draw();
    } catch (error) {
      asked = false;
      say("track", "warn", "Facts of the track could not be fetched", /** @type {Error} */ (error).message);
    }
  };

  const draw = () => {
    const { track, frames, counts } = state.values;
    if (!track) return root.replaceChildren(h("p", { class: "muted" }, state.values.job.tracked ? "Click a box, or a row of the evidence, to see its track." : "This job has detections and no tracks."));
    learn();
    const said = summary && saidOf(summary, track);
    const way = wayOf(player.boxes, track);
    const label = said?.label ?? labelOf(state) ?? "track";
    const fact = (/** @type {string} */ name, /** @type {any} */ value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    const moment = (/** @type {number} */ us, /** @type {string} */ title) => h("button", { type: "button", class: "link", title, onclick: () => player.seekUs(us) }, clock(us / 1e6, 1));
    const facts = [];
    if (said?.from !== null && said?.from !== undefined) facts.push(fact("Seen", [moment(said.from * 1e6, "Go to its first frame"), "to", moment(said.to * 1e6, "Go to its last frame")]));
    else if (way.length) {
      const [from, to] = [way[0], way[way.length - 1]].map((point) => frames.pts[frames.seq.indexOf(point[2])]);
      facts.push(fact("Seen, as far as loaded", [moment(from, "Go there"), "to", moment(to, "Go there")]));
    }
    for (const [name, value] of said?.facts ?? []) facts.push(fact(name, value));
    const own = (counts?.evidence ?? []).filter((/** @type {any} */ e) => e.group === track.group && e.track_id === track.track_id);
    facts.push(fact("Events", own.length ? own.map((/** @type {any} */ e) => h("button", { type: "button", class: "link", onclick: () => openEvent(state, player, e) }, `${e.name} ${e.direction}`)) : "none"));
    const mark = markOf(label);
    root.replaceChildren(canvas, h("h2", { class: "cell" }, glyph({ name: mark.colour, shape: mark.shape }), `${label} ${track.track_id}`), h("dl", {}, facts),
      button("Close track", { name: "close", text: false }, () => state.set({ track: null })));
    crop();
  };

  const crop = () => {
    const { track, boxes } = state.values;
    const box = track && boxes.find((/** @type {any} */ b) => b.group === track.group && b.track_id === track.track_id);
    const { picture } = player;
    if (!box || !picture) return;
    const { shown, size } = player;
    const [sx, sy] = [shown.width / size.width, shown.height / size.height];
    const width = Math.max(LEAST_PX, (box.x2 - box.x1) * 1.5, (box.y2 - box.y1) * 2);
    const height = (width * CROP.height) / CROP.width;
    const [x, y] = [(box.x1 + box.x2) / 2 - width / 2, (box.y1 + box.y2) / 2 - height / 2];
    const ctx = canvas.getContext("2d");
    ctx.fillRect(0, 0, CROP.width, CROP.height);
    ctx.drawImage(picture, x * sx, y * sy, width * sx, height * sy, 0, 0, CROP.width, CROP.height);
  };

  state.on(["track", "counts"], draw);
  state.on(["boxes"], () => state.values.track && crop());
  draw();
}

/** What its box is called now. @param {State} state */
function labelOf(state) {
  const { track, boxes } = state.values;
  return boxes.find((/** @type {any} */ b) => b.group === track.group && b.track_id === track.track_id)?.label;
}
