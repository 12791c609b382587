// Numbers of a job: counts, tables, chart, audit, downloads, and the account of the run.

import { askJson } from "../api.js";
import { filterBody } from "../lines/counts.js";
import { mountAccount } from "./account.js";
import { asking, trouble } from "./asking.js";
import { mountAudit } from "./audit.js";
import { mountChart } from "./chart.js";
import { mountCounts } from "./counts.js";
import { mountDownloads } from "./downloads.js";
import { mountIntervals } from "./intervals.js";
import { mountMovements } from "./movements.js";
import { mountSpeeds } from "./speeds.js";
import { follow } from "./verified.js";

const BINS = 600;

/** @param {import("../state.js").State} state @param {import("../job/player.js").Player} player */
export function mount(state, player) {
  follow(state);
  mountCounts(state, player);
  mountChart(state, player);
  mountIntervals(state);
  mountMovements(state);
  mountSpeeds(state);
  mountAudit(state, player);
  mountDownloads(state);
  mountAccount(state);
  askOverview(state);
  askAudit(state);
}

const ready = (/** @type {any} */ { job }) => job?.state === "ready" && job.tracked;

/** What the whole of a job holds, for the filter. @param {import("../state.js").State} state */
function askOverview(state) {
  const again = asking({
    ask: (signal) => {
      const { job, filter, classes } = state.values;
      return askJson(`/jobs/${job.job_id}/overview?${query(filterBody(filter, classes))}`, { signal });
    },
    done: (overview) => {
      failed.say("");
      state.set({ overview });
    },
    failed: (error) => failed.say(`Counts could not be fetched. ${error.message}`),
  });
  const failed = trouble(again);
  document.querySelector("#counts-panel .panel-head")?.after(failed.el);
  let was = "";
  const begin = () => {
    const { job, filter, classes } = state.values;
    const now = JSON.stringify([job?.state, classes.length, { ...filter, hidden: [...filter.hidden] }]);
    if (now === was || !ready(state.values)) return;
    was = now;
    again();
  };
  state.on(["job", "filter", "classes"], begin);
  begin();
}

/** @param {ReturnType<typeof filterBody>} filter */
function query({ classes, min_confidence, min_hits }) {
  const said = new URLSearchParams({ bins: String(BINS), min_confidence: String(min_confidence) });
  if (classes.length) said.set("classes", classes.join(","));
  if (min_hits !== null) said.set("min_hits", String(min_hits));
  return said;
}

/** Events at the stored lines, and what was said of them. @param {import("../state.js").State} state */
function askAudit(state) {
  const again = asking({
    ask: (signal) => askJson(`/jobs/${state.values.job.job_id}/verdicts?bins=15m`, { signal }),
    done: (audit) => {
      failed.say("");
      state.set({ audit });
    },
    failed: (error) => failed.say(`The audit could not be fetched. ${error.message}`),
  });
  const failed = trouble(again);
  document.querySelector("#audit .panel-head")?.after(failed.el);
  let was = "";
  const begin = () => {
    const { audit, revision, job } = state.values;
    if (!ready(state.values) || !revision) return;
    const now = `${revision} ${job.clock_start}`;
    if (now === was && audit?.by_bin !== null) return;
    was = now;
    again();
  };
  state.on(["job", "revision", "audit"], begin);
  begin();
}
