// How fast something goes, from how far it was at times of the last seconds. Pure.

const WINDOW_MS = 10_000;

/** Points of the last ten seconds, and the one before them. */
export class Rate {
  /** @type {[number, number][]} */
  #points = [];

  /** @param {number} now milliseconds of a clock that never falls @param {number} done how far it is */
  add(now, done) {
    const last = this.#points.at(-1);
    if (last && done < last[1]) this.#points = []; // it was begun anew
    this.#points.push([now, done]);
    while (this.#points.length > 2 && this.#points[1][0] <= now - WINDOW_MS) this.#points.shift();
  }

  /**
   * How much a second; null while nobody can say.
   * @param {number} now
   */
  of(now) {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (!first || !last || last[1] === first[1] || now - first[0] < 500) return null;
    return ((last[1] - first[1]) * 1000) / (now - first[0]);
  }
}

/**
 * Seconds that are left; null where nobody can say.
 * @param {number | null} rate a second @param {number} rest how much is still to be done
 */
export function left(rate, rest) {
  return rate === null ? null : rest / rate;
}

/**
 * Time left in words that do not tremble: rounded up, coarser the more there is.
 * @param {number | null} seconds
 */
export function leftWords(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  const minutes = Math.ceil(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
