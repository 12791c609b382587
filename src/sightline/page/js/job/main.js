// The page of a job: builds its parts and connects them through one state.

import { ask, askJson, Refused } from "../api.js";
import { decodePath, Ground } from "../lines/ground.js";
import { mount as linesMount } from "../lines/main.js";
import { mount as numbersMount } from "../numbers/main.js";
import { State } from "../state.js";
import { askForTokens } from "../token.js";
import { $, themeButton } from "../ui.js";
import { Boxes } from "./boxes.js";
import { classesOf } from "./classes.js";
import { decodeFrames, rowAt } from "./frames.js";
import { head, missing } from "./head.js";
import { watch } from "./live.js";
import { say } from "./notices.js";
import { mountKeys } from "./keys.js";
import { followPlace } from "./permalink.js";
import { readPlace } from "./place.js";
import { Playback } from "./playback.js";
import { Player } from "./player.js";
import { mountStatus } from "./status.js";
import { mountTimeline } from "./timeline.js";
import { mountTools } from "./tools.js";
import { mountTrack } from "./track.js";
import { mountTransport } from "./transport.js";
import { mountVeil } from "./veil.js";
import { WHOLE } from "./view.js";

const job_id = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const place = readPlace(location.search);

const state = new State({
  job: null, // as GET /jobs/ID has it, kept new
  frames: null, // of the source, once the job was begun
  ground: null, // on which lines and zones lie, with the frames
  row: 0, // of the frame that is on the screen
  shown: false, // whether a frame is on the screen
  boxes: [], // that are drawn: [{group, label, track_id, x1, y1, x2, y2, confidence, origin}]
  complete: false, // whether these are all of the frame, and not on their way
  ahead: 0, // sampled frames that have boxes
  classes: [],
  show: { boxes: true, ids: true, trails: true, zones: true },
  tool: "select",
  draft: null,
  track: place.track,
  shape: place.shape,
  shapes: [],
  revision: 0,
  filter: { hidden: new Set(), min_confidence: 0, min_hits: null },
  counts: null,
  preview: null,
  overview: null,
  event: null,
  view: WHOLE,
});

const boxes = new Boxes(job_id, () => player.refresh(), (error) => say("boxes", "error", "Boxes could not be fetched", `${error.message} They are asked for again when you move.`));
const player = new Player(state, boxes, $("#picture"), $("#overlay"));
const playback = new Playback(job_id, state, player);

/** What is drawn now, for tests and for those who write their own. */
function presented() {
  player.sync();
  const { frames, row, shown, boxes: drawn } = state.values;
  if (!frames || !shown) return null;
  return {
    job_id,
    frame: frames.frame[row],
    seq: frames.seq[row] < 0 ? null : frames.seq[row],
    pts_us: frames.pts[row],
    boxes: drawn.map((/** @type {any} */ { group, track_id, x1, y1, x2, y2 }) => ({ group, track_id, x1, y1, x2, y2 })),
  };
}

/** Whether the boxes of `presented()` are all of its frame, and none on their way. */
function settled() {
  return presented() !== null && state.values.complete;
}
Object.assign(window, { sightline: { presented, settled, player, memory: () => boxes.size } });

/** Looks end in the order in which they began: an older answer never replaces a newer one, and a video is begun once. */
let looked = Promise.resolve();

/** The job as it is now; its frames once it was begun. */
function refresh() {
  return (looked = looked.then(look, look));
}

async function look() {
  const job = await askJson(`/jobs/${job_id}`);
  const begins = job.sampled && !state.values.frames;
  const [frames, path] = await Promise.all([begins ? framesOf() : state.values.frames, pathOf(job)]);
  take(job);
  if (frames) state.set({ ground: new Ground(frames, job.source, path) });
  if (!begins) return;
  state.set({ frames, row: place.us === null ? 0 : rowAt(frames.pts, place.us) });
  playback.begin();
}

const framesOf = async () => decodeFrames(await (await ask(`/jobs/${job_id}/index`)).arrayBuffer());

/** The path of the camera of a job that is ready, as `Ground` has it. */
async function pathOf(/** @type {any} */ job) {
  const known = state.values.ground?.path;
  if (job.state !== "ready" || known !== undefined) return known;
  const answer = await ask(`/jobs/${job_id}/camera`);
  return answer.status === 204 ? null : decodePath(await answer.arrayBuffer());
}

function take(/** @type {any} */ job) {
  const ahead = job.state === "ready" ? job.sampled : (job.progress.collect?.done ?? 0);
  boxes.follow(job, ahead);
  state.set({ job, ahead, ...(state.values.classes.length ? {} : { classes: classesOf(job.groups) }) });
  player.refresh();
}

/** Only how far it is. */
function progressed(/** @type {any} */ progress) {
  take({ ...state.values.job, progress });
}

async function main() {
  themeButton($("#theme"));
  askForTokens();
  mountVeil(state);
  try {
    await refresh();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    missing(error);
    return;
  }
  head.mount(state);
  mountStatus(state);
  mountTools(state, player);
  linesMount(state, player);
  mountTimeline(state, player);
  mountTrack(state, player);
  mountKeys(state, player, mountTransport(state, player));
  numbersMount(state, player);
  followPlace(state, player);
  watch(job_id, { refresh, progressed });
}

main();
