// Times on the clock as text: what somebody types, and what the service says. Pure.

const TYPED = /^(\d{4})-(\d{1,2})-(\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*(Z|z|UTC|[+-]\d{1,2}(?::?\d{2})?)?$/;
const SAID = /^(?:(\d{4}-\d{2}-\d{2})T)?(\d+):(\d{2}):(\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?$/;
const EXAMPLE = "2026-11-21 08:00:00 +01:00";
const two = (/** @type {string | number} */ n) => String(n).padStart(2, "0");

/**
 * What somebody typed as the time of the first frame.
 * @param {string} text empty for none
 * @returns {{value: string | null, wrong: string}} RFC 3339, or what is wrong in words
 */
export function readClock(text) {
  if (!text.trim()) return { value: null, wrong: "" };
  const found = TYPED.exec(text.trim());
  if (!found) return no(`Write date, time and offset from UTC, such as ${EXAMPLE}.`);
  const [, year, month, day, hour, minute, second = "00", part = "", zone] = found;
  if (!zone) return no("Add the offset from UTC of the place, such as +01:00, or Z for UTC.");
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return no("There is no such day.");
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return no("There is no such time of day: 00:00:00 to 23:59:59.");
  const offset = offsetOf(zone);
  if (offset === null) return no("Offsets are -23:59 to +23:59.");
  return { value: `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}${part}${offset}`, wrong: "" };
}

/** @param {string} wrong */
const no = (wrong) => ({ value: null, wrong });

/** @param {string} zone */
function offsetOf(zone) {
  if (/^(z|utc)$/i.test(zone)) return "Z";
  const digits = zone.slice(1).replace(":", "");
  const [hours, minutes] = digits.length > 2 ? [digits.slice(0, -2), digits.slice(-2)] : [digits, "00"];
  return Number(hours) > 23 || Number(minutes) > 59 ? null : `${zone[0]}${two(hours)}:${minutes}`;
}

/**
 * A clock's start as somebody would type it.
 * @param {string | null} value RFC 3339
 */
export const typed = (value) => (value ? value.replace("T", " ").replace(/(Z|[+-]\d{2}:\d{2})$/, " $1") : "");

/**
 * A moment that the service said, without what all moments of a table share.
 * @param {string} text `2026-11-21T08:00:00+01:00`, or `00:15:00` where there is no clock
 * @param {boolean} seconds whether seconds matter
 */
export function moment(text, seconds) {
  const [, day, hours, minutes, secs] = SAID.exec(text) ?? [];
  if (hours === undefined) return text;
  return day && !seconds ? `${hours}:${minutes}` : `${hours}:${minutes}:${secs}`;
}

/**
 * The day of a moment; empty where there is no clock.
 * @param {string} text
 */
export const dayOf = (text) => SAID.exec(text)?.[1] ?? "";

/**
 * Microseconds between midnight and the first frame: where bins on the clock begin.
 * @param {string | null} value RFC 3339
 */
export function sinceMidnightUs(value) {
  const [, , hours = "0", minutes = "0", secs = "0"] = SAID.exec(value ?? "") ?? [];
  const part = /:\d{2}(\.\d+)/.exec(value ?? "")?.[1] ?? "0";
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(secs)) * 1e6 + Math.round(Number(part) * 1e6);
}
