// A place in a job as it stands in the address: time, track and line. Pure.

/** @typedef {{us: number | null, track: {group: string, track_id: number} | null, shape: string | null}} Place */

/** @param {string} search query of the address @returns {Place} what is malformed is left out */
export function readPlace(search) {
  const query = new URLSearchParams(search);
  const t = query.get("t") ?? "";
  const [, group, id] = /^(.+):(\d{1,15})$/.exec(query.get("track") ?? "") ?? [];
  return {
    us: /^\d{1,9}(\.\d+)?$/.test(t) ? Math.round(Number(t) * 1e6) : null,
    track: group ? { group, track_id: Number(id) } : null,
    shape: query.get("line") || null,
  };
}

/**
 * The query of a place. What else stands in the address stays.
 * @param {string} search query of the address as it is
 * @param {Place} place
 */
export function writePlace(search, { us, track, shape }) {
  const query = new URLSearchParams(search);
  const put = (/** @type {string} */ name, /** @type {string | null} */ value) => {
    if (value === null) query.delete(name);
    else query.set(name, value);
  };
  put("t", us === null ? null : String(Number((us / 1e6).toFixed(6))));
  put("track", track && `${track.group}:${track.track_id}`);
  put("line", shape);
  const text = query.toString().replaceAll("%3A", ":");
  return text && `?${text}`;
}
