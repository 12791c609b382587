// The account of a run: what became of every frame, by what it was looked at, and when.

import { askJson } from "../api.js";
import { h } from "../ui.js";
import { bytes, clock, codecWord, int } from "../words.js";
import { asking, trouble, whenSeen } from "./asking.js";
import { lostWords, plural, ruleWords } from "./phrases.js";

const LIST = 100;

/** @param {import("../state.js").State} state */
export function mountAccount(state) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#account"));
  const list = h("dl", { class: "facts" });
  /** @type {any} */
  let run = null;
  const again = asking({
    ask: (signal) => askJson(`/jobs/${state.values.job.job_id}/results/run.json`, { signal }),
    done: (answer) => {
      run = answer;
      failed.say("");
      draw();
    },
    failed: (error) => failed.say(`Model and engine are not known. ${error.message}`),
    wait: 0,
  });
  const failed = trouble(again);
  root.replaceChildren(h("div", { class: "panel-head" }, h("h2", { id: "account-title" }, "Account of this run")), failed.el, list);
  let asked = false;
  const draw = () => {
    const { job, overview } = state.values;
    if (!job) return;
    if (job.state === "ready" && !asked) {
      asked = true;
      whenSeen(root, again);
    }
    list.replaceChildren(...factsOf(job, overview, run).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  };
  state.on(["job", "overview"], draw);
  draw();
}

/** @param {any} job @param {any} overview @param {any} run @returns {[string, any][]} */
function factsOf(job, overview, run) {
  const { source, counts, warnings, times, result } = job;
  /** @type {[string, any][]} */
  const facts = [["Frames", frames(job, counts?.frames)]];
  const lost = overview?.lost ?? [];
  if (lost.length) facts.push(["Not looked at", h("ul", {}, lost.slice(0, LIST).map((/** @type {any} */ each) => h("li", {}, lostWords(each))), lost.length > LIST ? h("li", {}, `${int(lost.length - LIST)} more in run.json`) : null)]);
  for (const { start_us, end_us } of overview?.gaps ?? []) facts.push(["Nothing filmed", `${clock(start_us / 1e6, 1)} to ${clock(end_us / 1e6, 1)}`]);
  if (overview) facts.push(["Rule", ruleWords(overview.rule)]);
  if (warnings?.length) facts.push(["Warnings", h("ul", {}, warnings.map((/** @type {any} */ w) => h("li", {}, w.detail)))]);
  facts.push(["Source", source ? `${codecWord(source.codec) || source.kind}, ${source.width} \u00d7 ${source.height}, ${bytes(source.bytes)}` : "not known"]);
  facts.push(["Pipeline", job.pipeline]);
  if (run) facts.push(["Model", `${run.model?.name ?? "none"}${run.model?.labels ? `: ${run.model.labels.join(", ")}` : ""}`], ["Engine", run.engine ? `${run.engine.name} ${run.engine.version ?? ""}, ${run.engine.precision ?? ""}` : "none"], ["Sightline", run.versions?.sightline ?? ""]);
  facts.push(["Times", h("ul", {}, [["accepted", job.created_at], ...Object.entries(times)].map(([state, time]) => h("li", {}, `${state} ${String(time).slice(0, 19).replace("T", " ")} UTC`)))]);
  facts.push(["Hash of the result", result ? h("code", {}, result.sha256) : "none yet"], ["Job", h("code", {}, job.job_id)]);
  return facts;
}

/** @param {any} job @param {any} frames */
function frames(job, frames) {
  if (!frames) return job.sampled ? `${int(job.sampled)} to be looked at` : "not known yet";
  const { total, sampled, ok, failed, skipped } = frames;
  return `${plural(total, "frame")}, ${int(sampled)} sampled: ${int(ok)} looked at, ${int(failed)} failed, ${int(skipped)} skipped`;
}
