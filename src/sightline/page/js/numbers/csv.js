// Tables as CSV: pure. What a spreadsheet would take for a formula is made text.

/** @typedef {string | number | null} Cell */

const FORMULA = /^[=+\-@\t\r]/;
const QUOTED = /[",\r\n]/;

/**
 * One cell. A text that begins like a formula gets an apostrophe, as names of lines and files come from anybody.
 * @param {Cell} value
 */
export function cell(value) {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * A table, after lines that say what it is.
 * @param {string[]} notes a line each, with `# ` before it
 * @param {Cell[][]} rows the head first
 */
export function csv(notes, rows) {
  const said = notes.map((note) => cell(`# ${note.replace(/\s+/g, " ")}`));
  return [...said, ...rows.map((row) => row.map(cell).join(","))].map((line) => `${line}\r\n`).join("");
}
