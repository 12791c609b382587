// A heading rose: how many went where, as petals whose areas are their numbers. Pure.

export const DIRECTIONS = ["up", "up-right", "right", "down-right", "down", "down-left", "left", "up-left"];
const HALF = (22.5 * Math.PI) / 180 * 0.9; // of a petal; between two there is a gap

/**
 * @param {Record<string, number>} rose numbers by direction
 * @param {number} radius of the largest petal
 * @returns {{direction: string, n: number, d: string, x: number, y: number}[]} of directions that somebody went: the outline about the
 *   middle, and where its number stands
 */
export function petals(rose, radius) {
  const most = Math.max(...DIRECTIONS.map((direction) => rose[direction] ?? 0));
  return DIRECTIONS.flatMap((direction, i) => {
    const n = rose[direction] ?? 0;
    if (!n) return [];
    const [r, at] = [radius * Math.sqrt(n / most), (i * Math.PI) / 4];
    const [[ax, ay], [bx, by], [x, y]] = [[at - HALF, r], [at + HALF, r], [at, r + 12]].map(([angle, far]) => [short(far * Math.sin(angle)), short(-far * Math.cos(angle))]);
    return [{ direction, n, d: `M0 0L${ax} ${ay}A${short(r)} ${short(r)} 0 0 1 ${bx} ${by}Z`, x, y }];
  });
}

/** No more digits than a screen has. @param {number} value */
const short = (value) => Math.round(value * 100) / 100 + 0;

/** A rose in words: "right 14, left 17". @param {Record<string, number>} rose */
export const roseWords = (rose) => DIRECTIONS.filter((direction) => rose[direction]).map((direction) => `${direction} ${rose[direction]}`).join(", ");

/** How many have a direction. @param {Record<string, number>} rose */
export const headed = (rose) => DIRECTIONS.reduce((sum, direction) => sum + (rose[direction] ?? 0), 0);
