// The address follows what is looked at: time, track and line.

import { writePlace } from "./place.js";

const EVERY_MS = 500; // browsers refuse many changes in a short time

/** @param {import("../state.js").State} state @param {import("./player.js").Player} player */
export function followPlace(state, player) {
  let due = false;
  const write = () => {
    due = false;
    const { frames, row, track, shape } = state.values;
    const search = writePlace(location.search, { us: frames ? frames.pts[row] : null, track, shape });
    if (search !== location.search) history.replaceState(null, "", location.pathname + search + location.hash);
  };
  const later = () => {
    if (due) return;
    due = true;
    setTimeout(write, player.paused ? EVERY_MS : 4 * EVERY_MS);
  };
  state.on(["row", "track", "shape"], later);
}
