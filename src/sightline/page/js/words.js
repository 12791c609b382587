// Words for numbers: pure, for the page and its tests.

const grouped = new Intl.NumberFormat("en");

/** @param {number} n a whole number, or one to be rounded */
export const int = (n) => grouped.format(Math.round(n));

/**
 * Time in a video: `1:02:03.4`.
 * @param {number} seconds
 * @param {number} [digits] behind the point; cut, not rounded, so that a moment never reads as a later one
 */
export function clock(seconds, digits = 0) {
  const factor = 10 ** digits;
  const units = Math.floor(Math.abs(seconds) * factor + 1e-6);
  const whole = Math.floor(units / factor);
  const rest = digits ? `.${String(units % factor).padStart(digits, "0")}` : "";
  const [hours, minutes, secs] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(secs).padStart(2, "0")}${rest}`;
  const text = hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
  return seconds < 0 && units ? `-${text}` : text;
}

/** @type {[string, number][]} */
const UNITS = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];

/** @param {number} n how many bytes */
export function bytes(n) {
  for (const [unit, size] of UNITS) {
    if (n >= size) return `${(n / size).toFixed(n / size < 10 ? 1 : 0)} ${unit}`;
  }
  return `${n} B`;
}

/** @type {Record<string, string>} */
const CODECS = { h264: "H.264", hevc: "H.265", mpeg4: "MPEG-4", mjpeg: "Motion JPEG", vp8: "VP8", vp9: "VP9", av1: "AV1", mpeg2video: "MPEG-2" };

/** What a codec is called. @param {string | null | undefined} codec as FFmpeg has it */
export const codecWord = (codec) => CODECS[codec ?? ""] ?? (codec ?? "").toUpperCase();
