// What of each count holds after the audit, for every panel that shows a count.

import { placeKey, verifiedOf } from "./audit_facts.js";

/** @typedef {ReturnType<typeof verifiedOf>} Found */

/** @type {import("../state.js").State | null} */
let page = null;
/** @type {{of: any[], found: Found}} */
let last = { of: [], found: new Map() };

/** Whose counts and verdicts are meant. @param {import("../state.js").State} state */
export const follow = (state) => void (page = state);

/**
 * It changes with `audit`, `counts` and `filter`.
 * @param {string} name of a line or zone
 * @param {string} direction the line's own word for it; `zone_enter` or `zone_exit` of a zone
 * @returns {{raw: number, verified: number, looked: number} | null} null where nobody has looked
 */
export function verified(name, direction) {
  const { audit, counts, filter } = page?.values ?? {};
  if (!audit || !counts) return null;
  const of = [audit, counts, filter];
  if (of.some((value, i) => value !== last.of[i])) last = { of, found: verifiedOf(counts.evidence, audit, filter.hidden) };
  return last.found.get(placeKey(name, direction)) ?? null;
}
