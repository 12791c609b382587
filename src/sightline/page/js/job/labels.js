// Where labels stand: beside their boxes, covering no other. Pure.

export const HEIGHT = 16;

/**
 * First place for a label that covers no other: above, below, right, left of its box; one inside the stage where all are
 * taken.
 * @param {number[]} box x1 y1 x2 y2 on the stage
 * @param {number} width of the label
 * @param {{width: number, height: number}} stage
 * @param {number[][]} taken x, y and width of every label that stands already
 * @returns {number[]} x, y
 */
export function placed([x1, y1, x2, y2], width, stage, taken) {
  const middle = (y1 + y2) / 2 - HEIGHT / 2;
  const places = [[x1 - 1, y1 - HEIGHT - 2], [x1 - 1, y2 + 2], [x2 + 3, middle], [x1 - width - 3, middle], [x2 - width, y1 - HEIGHT - 2]];
  const fits = (/** @type {number[]} */ [x, y]) => x >= 0 && y >= 0 && x + width <= stage.width && y + HEIGHT <= stage.height;
  const clear = (/** @type {number[]} */ [x, y]) => taken.every(([tx, ty, tw]) => x > tx + tw || x + width < tx || y > ty + HEIGHT || y + HEIGHT < ty);
  const inside = [Math.min(Math.max(0, x1), Math.max(0, stage.width - width)), Math.min(Math.max(0, y1 - HEIGHT - 2), stage.height - HEIGHT)];
  return places.find((place) => fits(place) && clear(place)) ?? places.find(fits) ?? inside;
}
