// Counts again whenever a line, a zone or the filter changes: quickly while something moves, with evidence when it rests.

import { askJson, Refused } from "../api.js";
import { kept, question, tallies } from "./counts.js";
import { Recounter } from "./recounter.js";

const REST_MS = 250;
const AGAIN_MS = 3000;
const PASSES = new Set([0, 429, 502, 503]);

/**
 * Keeps `counts`, their `tallies`, `preview` and `event` of the state; `counting` says how it stands: `{state, words}`.
 * @param {import("../state.js").State} state
 */
export function recounts(state) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let [since, asked] = [-Infinity, ""];
  const said = (/** @type {string} */ how, words = "") => state.set({ counting: { state: how, words } });
  const recounter = new Recounter({
    ask: (/** @type {string} */ text, quick, signal) =>
      askJson(`/jobs/${state.values.job.job_id}/counts${quick ? "?evidence=false" : ""}`, { method: "POST", json: JSON.parse(text), signal }),
    answered: (answer, quick, text) => {
      said("counted");
      if (quick) state.set({ preview: answer });
      else state.set({ counts: answer, tallies: tallies(answer.evidence, state.values.shapes), preview: null, event: kept(state.values.event, answer.evidence), counted: text });
    },
    failed: (error) => {
      if (!(error instanceof Refused)) throw error;
      const again = PASSES.has(error.status);
      said("failed", words(error, again));
      forget();
      if (again) later(AGAIN_MS);
    },
  });
  /** Nothing is counted: a number that is not of these lines is not shown beside them. */
  const forget = () => {
    asked = "";
    state.set({ counts: null, tallies: new Map(), preview: null, counted: "" });
  };
  const ask = (/** @type {boolean} */ quick) => {
    const { shapes, filter, classes } = state.values;
    const text = JSON.stringify(question(shapes, filter, classes));
    if (`${quick} ${text}` === asked) return;
    asked = `${quick} ${text}`;
    if (!quick && text === state.values.counted) {
      recounter.stop(); // it is as it was: the answer is there
      return state.set({ preview: null });
    }
    recounter.want(text, quick);
  };
  const later = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => (state.values.live ? later(REST_MS) : ask(false)), ms);
  };
  const count = () => {
    const { job, loaded, live } = state.values;
    if (!loaded) return;
    if (job.state !== "ready" || !job.tracked) return said("waiting", waiting(job));
    const quick = live || performance.now() - since < REST_MS;
    since = performance.now();
    ask(quick);
    if (quick) later(REST_MS);
    else clearTimeout(timer);
  };
  const released = () => {
    if (!state.values.live) since = -Infinity;
    count();
  };
  let before = "";
  state.on(["shapes", "filter", "loaded"], count);
  state.on(["live"], released);
  state.on(["job"], () => {
    const { state: stands, tracked, clock_start } = state.values.job;
    const now = `${stands} ${tracked} ${clock_start}`;
    if (now === before) return;
    before = now;
    state.set({ counted: "" }); // the same events, at other times on the clock
    asked = "";
    count();
  });
  count();
}

/** Why there are no counts. @param {{state: string, tracked: boolean}} job */
function waiting({ state, tracked }) {
  if (state === "ready" && !tracked) return "This job has no tracks, so nothing can cross a line. Run the video with the pipeline traffic.";
  if (state === "failed" || state === "cancelled") return `The job is ${state}: nothing was counted. Lines are kept, and can be copied to another job.`;
  return "Numbers come when the job is ready. Lines can be drawn now and are kept.";
}

/** @param {Refused} error @param {boolean} again */
function words(error, again) {
  return `Not counted: ${error.why}${again ? " It is tried again." : ""}`;
}
