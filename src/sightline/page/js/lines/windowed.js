// Which rows of a long list are in sight. Pure.

const MORE = 6; // rows beyond each edge, so that a quick scroll shows no gap

/**
 * @param {number} count of all rows
 * @param {number} height of a row, pixels
 * @param {number} top how far it is scrolled
 * @param {number} room height of what shows it
 * @param {number} chosen a row that is always there, -1 for none
 * @returns {number[]} rows, rising
 */
export function rowsInSight(count, height, top, room, chosen) {
  const first = Math.max(0, Math.floor(top / height) - MORE);
  const last = Math.min(count, Math.ceil((top + room) / height) + MORE);
  const rows = [];
  if (chosen >= 0 && chosen < Math.min(first, count)) rows.push(chosen);
  for (let row = first; row < last; row++) rows.push(row);
  if (chosen >= last && chosen < count) rows.push(chosen);
  return rows;
}

/**
 * Where a list is scrolled to so that a row is in sight: as little as may be.
 * @param {number} row
 * @param {number} height
 * @param {number} top
 * @param {number} room
 */
export function scrolledTo(row, height, top, room) {
  if (row * height < top) return row * height;
  if ((row + 1) * height > top + room) return (row + 1) * height - room;
  return top;
}

/** The row that a key leads to. @param {string} key @param {number} row @param {number} count @param {number} page rows of it @returns {number | null} */
export function rowOf(key, row, count, page) {
  const to = { ArrowUp: row - 1, ArrowDown: row + 1, PageUp: row - page, PageDown: row + page, Home: 0, End: count - 1 }[key];
  return to === undefined || !count ? null : Math.min(count - 1, Math.max(0, to));
}
