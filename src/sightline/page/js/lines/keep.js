// Lines and zones as the service keeps them: read at the start, stored when they rest, and said where they are not.

import { askJson, Refused } from "../api.js";
import { fromBody, toBody } from "./geometry.js";
import { Saver } from "./saver.js";

/** @typedef {ReturnType<typeof toBody>} Body */

const AGAIN_MS = 3000;
const PASSES = new Set([0, 429, 502, 503]);

/**
 * Keeps `revision` and `loaded` of the state; `saving` says how it stands, see `Saver`.
 * @param {import("../state.js").State} state
 * @param {import("./drawing.js").Drawing} drawing
 */
export function keeps(state, drawing) {
  /** @type {Saver<Body> | null} */
  let saver = null;
  const path = `/jobs/${state.values.job.job_id}/geometry`;
  const read = async () => {
    const { lines, zones, revision } = await askJson(path);
    return { body: toBody(fromBody({ lines, zones })), revision };
  };
  /** @type {import("./saver.js").Store<Body>} */
  const store = {
    put: (body, revision) => askJson(path, { method: "PUT", json: { ...body, revision } }),
    get: read,
    judge: (error) => {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 412) return "changed";
      return PASSES.has(error.status) || error.code === "not_ready" ? "again" : "refused";
    },
    said: (saving) => state.set({ saving, revision: saver?.revision ?? 0 }),
  };
  const load = async () => {
    try {
      const { body, revision } = await read();
      saver = new Saver(store, body, revision);
      state.set({ shapes: fromBody(body), revision, saving: { state: "saved" } });
      state.set({ loaded: true });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      state.set({ saving: { state: "unread", error } });
      if (PASSES.has(error.status)) setTimeout(load, AGAIN_MS);
    }
  };
  state.on(["shapes", "live"], () => {
    if (!state.values.live && state.values.loaded) saver?.change(toBody(state.values.shapes));
  });
  addEventListener("pagehide", () => leave(path, saver));
  addEventListener("pageshow", (e) => e.persisted && load()); // a page that comes back has stored something as it went
  addEventListener("beforeunload", (e) => {
    if (["failed", "changed"].includes(state.values.saving.state)) e.preventDefault(); // what is drawn would be lost: the browser asks
  });
  load();

  return {
    now: () => saver?.now(),
    keepMine: () => saver?.keepMine(),
    takeTheirs: () => {
      const theirs = saver?.takeTheirs();
      if (theirs) drawing.take(theirs);
    },
    /** @param {string} job_id Another job's lines and zones in place of these. @returns {Promise<number>} how many */
    copy: async (job_id) => {
      const { lines, zones, revision } = await askJson(path, { method: "PUT", json: { from: job_id, revision: saver?.revision ?? 0 } });
      const body = toBody(fromBody({ lines, zones }));
      drawing.take(body);
      saver?.seen(body, revision);
      return lines.length + zones.length;
    },
  };
}

/** A page that is left takes what was just drawn along. @param {string} path @param {Saver<Body> | null} saver */
function leave(path, saver) {
  if (!saver?.wanted) return;
  const [body, headers] = [JSON.stringify({ ...saver.wanted, revision: saver.revision }), { "Content-Type": "application/json" }];
  fetch(`/api/v1${path}`, { method: "PUT", body, headers, keepalive: true }).catch(() => {}); // nobody is left to hear of it
}
