// What the result says of each object: from when to when it was seen, why it counts, what is doubtful. Pure.

/** @typedef {{id: number, group: string, label?: string, from?: number, to?: number, why?: string, doubts: string[], refused?: string}} Known */

/** Words of `why`, `doubts` and `refused`, as docs/counting.md explains them. @type {Record<string, string>} */
const WORDS = {
  boxes: "sure boxes",
  motion: "it travels",
  linked: "joined of several tracks",
  short: "seen briefly",
  near: "near a limit",
  gap: "unseen for a second or more",
  split: "may be a part of another",
  faint: "never sure",
  broken: "seen in less than half of its frames",
  camera: "the camera is not known to stand still",
  stands: "it stands",
  wanders: "it wanders",
  double: "lies on another object",
  rides: "rides a two-wheeler",
};

/**
 * What is said of a track, for those who doubt it.
 * @param {any} summary `summary.json`
 * @param {{group: string, track_id: number}} track
 * @returns {{label: string | null, from: number | null, to: number | null, facts: [string, string][]} | null} null: nothing
 *   is said of it; times in seconds
 */
export function saidOf(summary, { group, track_id }) {
  const found = summary.objects.find((/** @type {Known} */ each) => each.group === group && each.id === track_id);
  if (!found) return null;
  const words = (/** @type {string[]} */ names) => names.map((name) => WORDS[name] ?? name).join(", ");
  /** @type {[string, string][]} */
  const facts = [];
  if (found.refused) facts.push(["Does not count", words([found.refused])]);
  else if (found.why) facts.push(["Counts", words([found.why])]);
  if (found.doubts.length) facts.push(["Doubtful", words(found.doubts)]);
  return { label: found.label ?? null, from: found.from ?? null, to: found.to ?? null, facts };
}
