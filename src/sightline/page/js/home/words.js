// What a job and its errors are called. Pure.

import { bytes, clock, codecWord, int } from "../words.js";

/** Word and icon of a state. @type {Record<string, {word: string, icon: string, kind: string}>} */
export const STATES = {
  new: { word: "Queued", icon: "wait", kind: "queued" },
  sent: { word: "Queued", icon: "wait", kind: "queued" },
  processing: { word: "Processing", icon: "work", kind: "processing" },
  predictable: { word: "Publishing", icon: "work", kind: "processing" },
  ready: { word: "Ready", icon: "ok", kind: "ready" },
  failed: { word: "Failed", icon: "error", kind: "failed" },
  cancelled: { word: "Cancelled", icon: "stop", kind: "cancelled" },
};

/** Stages that have a bar, in their order. */
export const STAGES = [
  { name: "feed", word: "Feed" },
  { name: "detect", word: "Detect" },
  { name: "track", word: "Track" },
  { name: "publish", word: "Publish" },
];

/** @type {Record<string, string>} */
const PIPELINES = {
  traffic: "Traffic: cars, people and two-wheelers, tracked and counted",
  visdrone: "VisDrone: pedestrians and vehicles from a drone, tracked and counted",
  detect: "Detect: boxes of every fifth frame, without tracks",
};

/** @param {string} name */
export const pipelineWords = (name) => PIPELINES[name] ?? name;

/**
 * What the service found in a source: `H.264, 1280×720, 25 fps, 250 frames, 0:10`.
 * @param {any} source of a job
 */
export function sourceWords(source) {
  if (!source) return "";
  const { codec, width, height, frames, duration_us: us } = source;
  const rate = frames > 1 && us > 0 ? `${trimmed((frames * 1e6) / us)} fps` : "";
  return [
    source.kind === "images" ? "Images" : codecWord(codec),
    width && height ? `${width}×${height}` : "",
    rate,
    frames ? `${int(frames)} ${frames === 1 ? "frame" : "frames"}` : "",
    us ? clock(us / 1e6) : "",
    source.bytes ? bytes(source.bytes) : "",
  ].filter(Boolean).join(", ");
}

/** @param {number} n */
const trimmed = (n) => n.toFixed(2).replace(/\.?0+$/, "");

const OTHER_FILE = "Send MP4, MOV, MKV, WebM, AVI or MPEG-TS.";
const COPY_AGAIN = "Copy it again from where it was recorded, or convert it to H.264.";

/**
 * Codes that people meet; without `what` the service's own sentence says it, as it has figures.
 * @type {Record<string, {what?: string, todo: string}>}
 */
const CODES = {
  away: { what: "The service does not answer.", todo: "It may be starting again. See whether it runs, and whether you are connected." },
  bug: { what: "The service made an error of its own.", todo: "Try again. Whoever runs it finds it in its log." },
  busy: { what: "The service is busy with other requests.", todo: "Try again in a moment." },
  changed_file: { what: "The file was changed, moved or removed while it was sent.", todo: "Choose it again." },
  confinement: { what: "The service cannot confine what reads files of others on its machine, so it takes none in.", todo: "Whoever runs it asks sightline doctor." },
  crashed: { what: "What looks into the file ended each time.", todo: "The file is damaged or harmful. Convert it where you trust it, then send it again." },
  disk_full: { what: "The service's disk is full.", todo: "Delete jobs that nobody needs, or make room." },
  empty: { what: "The file is empty.", todo: "Copy it again from where it was recorded." },
  encrypted: { what: "The pictures of the video are encrypted.", todo: "Decrypt it with its key, then send it again." },
  forbidden: { what: "Your token may look, and change nothing.", todo: "Ask whoever runs the service for one with the scope write." },
  invalid: { todo: "Correct it, then send it again." },
  invalid_video: { todo: COPY_AGAIN },
  limit: { todo: "Scale the video down or cut it, then send it again." },
  media_type: { what: "The file is of no kind that is read here.", todo: OTHER_FILE },
  no_folder: { what: "This service has no folder of files of its own.", todo: "Whoever runs it names one with --files." },
  no_frame: { what: "Not one frame of the video could be decoded.", todo: "The file is damaged. Copy it again from where it was recorded." },
  no_label: { todo: "Choose another pipeline, or a service with another model." },
  no_video: { what: "The file holds sound, but no picture.", todo: "Choose the file with the picture." },
  not_found: { what: "It is no longer there.", todo: "Somebody removed it." },
  not_video: { what: "The file is no video.", todo: OTHER_FILE },
  quota: { todo: "Delete jobs that nobody needs." },
  rate: { what: "Too many requests a second came from here.", todo: "Try again in a moment." },
  source_changed: { what: "The source was changed while it was processed.", todo: "Start it again once it stays as it is." },
  source_gone: { what: "The source was removed before the job had ended.", todo: "Send it again, or put it back and retry." },
  stalled: { what: "The job stood still.", todo: "Retry it. If it happens again, report it with its reason." },
  too_large: { todo: "Cut the video, or let whoever runs the service raise the limit." },
  unauthorized: { what: "The service asks for a token.", todo: "Give the one that you got from whoever runs it." },
  unreadable: { what: "The video cannot be opened: it is cut off, or its codec is not known.", todo: COPY_AGAIN },
  upgraded: { what: "The service was given another model meanwhile.", todo: "Nothing: a job of its own does the same again." },
  worker_down: { what: "The part of the service that does the work is starting again.", todo: "Wait for a moment." },
};

/**
 * An error in words: what happened, and what to do.
 * @param {string} code @param {string} detail the service's own sentence
 */
export function explain(code, detail) {
  const known = CODES[code];
  const said = detail ? sentence(detail) : "It failed, and nobody said why.";
  return { what: known?.what ?? said, todo: known?.todo ?? "" };
}

/** @param {string} text */
export function sentence(text) {
  const begun = text[0].toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * A time of a clock on the wall as RFC 3339, with the offset of its place.
 * @param {string} local as an input of `datetime-local` has it; empty: none
 * @param {number} [offset] minutes east of Greenwich; of this browser's place at that time where left out
 */
export function rfc3339(local, offset) {
  if (!local) return "";
  const east = offset ?? -new Date(local).getTimezoneOffset();
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const whole = local.length === 16 ? `${local}:00` : local;
  return `${whole}${east < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(east) / 60))}:${pad(Math.abs(east) % 60)}`;
}

/**
 * Counts of a job: `12 cars`, by group.
 * @param {{group: string, unique: number}[]} counts
 * @returns {[string, string][]} number and word
 */
export const countWords = (counts) => counts.map(({ group, unique }) => [int(unique), group]);
