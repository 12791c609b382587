// Counted events in the order of time. Pure.

/** @typedef {{id: string, pts_us: number}} Event */

/**
 * The event before or after where one stands: from the chosen one where that is shown, else from the moment.
 * @template {Event} E
 * @param {E[]} events in order of time
 * @param {E | null} chosen
 * @param {number} us that is shown
 * @param {number} way 1 or -1
 * @returns {E | undefined}
 */
export function beside(events, chosen, us, way) {
  const at = chosen && chosen.pts_us === us ? events.findIndex((each) => each.id === chosen.id) : -1;
  if (at >= 0) return events[at + way];
  return way > 0 ? events.find((each) => each.pts_us > us) : events.findLast((each) => each.pts_us < us);
}
