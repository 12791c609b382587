// Sentences about numbers: pure.

import { clock, int } from "../words.js";

/** @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${int(n)} ${n === 1 ? one : many}`;

/**
 * When an object counts.
 * @param {{min_hits: number, rate: number | string}} rule
 */
export function ruleWords({ min_hits, rate }) {
  const [n, d = 1] = String(rate).split("/").map(Number);
  const each = Math.round((n / d) * 100) / 100;
  return `An object counts once, when it was matched in ${plural(min_hits, "frame")} or more (${each} frames a second were looked at). Its class is the vote of these frames.`;
}

/** An error as a signed share. @param {number | null} error */
export function percent(error) {
  if (error === null) return "none to compare";
  const text = (Math.abs(error) * 100).toFixed(1);
  return text === "0.0" ? "0.0 %" : `${error > 0 ? "+" : "\u2212"}${text} %`;
}

/** A share of all. @param {number | null} part */
export const share = (part) => (part === null ? "none" : `${(part * 100).toFixed(1)} %`);

/**
 * A count, and what of it holds after somebody looked.
 * @param {number} raw
 * @param {{verified: number} | null} audited
 */
export const verifiedWords = (raw, audited) => (audited ? `${int(raw)}, verified ${int(audited.verified)}` : int(raw));

/**
 * Where objects were not looked at: rows of an overview.
 * @param {{first_frame: number, last_frame: number, start_us: number, end_us: number, outcome: string, reason: string}} lost
 */
export function lostWords({ first_frame, last_frame, start_us, outcome, reason }) {
  const which = first_frame === last_frame ? `Frame ${int(first_frame)}` : `Frames ${int(first_frame)} to ${int(last_frame)}`;
  return `${which}, at ${clock(start_us / 1e6, 1)}: ${outcome}${reason ? `, ${reason}` : ""}`;
}

/**
 * Why there are no numbers; empty where there are.
 * @param {{state: string, tracked: boolean} | null} job
 */
export function waiting(job) {
  if (job?.state === "failed" || job?.state === "cancelled") return `The job is ${job.state}: nothing was counted.`;
  if (job?.state !== "ready") return "Numbers come when every frame has been looked at.";
  return job.tracked ? "" : "This job has no tracks, so nothing was counted. Run the video with the pipeline traffic.";
}
