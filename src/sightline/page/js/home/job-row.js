// The row of a job.

import { h, icon } from "../ui.js";
import { int } from "../words.js";
import { Rate, left, leftWords } from "./rate.js";
import { Row, strong } from "./row.js";
import { STAGES, STATES, countWords, explain, sentence, sourceWords } from "./words.js";

/** @typedef {import("./jobs.js").Job} Job */
/** @typedef {{counts: {group: string, unique: number}[] | null, frames: any, warnings: {code: string, detail: string}[]}} Detail */
/** @typedef {{cancel: (job: Job) => void, retry: (job: Job) => void, remove: (job: Job) => void}} Acts */

export class JobRow extends Row {
  #rate = new Rate();
  /** @type {Job["progress"] | null} */
  #before = null;
  /** What is shown. @type {any[]} */
  #shown = [];

  /** @param {string} key @param {Acts} acts */
  constructor(key, acts) {
    super(key);
    this.acts = acts;
  }

  /** @param {Job} job @param {{place: number | undefined, detail: Detail | undefined, now: number}} more */
  update(job, { place, detail, now }) {
    const state = STATES[job.state];
    const shown = [job, place, detail];
    if (state.kind !== "processing" && shown.every((each, i) => each === this.#shown[i])) return;
    this.#shown = shown;
    const stages = STAGES.filter(({ name }) => name in job.progress);
    const shape = [state.word, job.name, ...stages.map(({ name }) => name)].join("|");
    this.shape(shape, () => ({
      name: h("a", { href: `/jobs/${job.job_id}`, title: job.name }, job.name),
      sub: h("p", { class: "probe" }, this.slot("source")),
      state,
      work: this.#work(job, stages),
      action: this.#actions(job),
    }));
    this.say("source", sourceWords(job.source));
    if (state.kind === "queued") this.say("place", place === 1 ? "Next in line" : place ? `Place ${place} in line` : "");
    if (state.kind === "processing") this.#progress(job, stages, now);
    if (state.kind === "ready") this.#ready(job, detail);
    if (state.kind === "failed") this.#failed(job);
    if (state.kind === "cancelled") this.say("why", sentence(job.reason || "it was cancelled"));
  }

  /** @param {Job} job @param {typeof STAGES} stages */
  #work(job, stages) {
    const kind = STATES[job.state].kind;
    if (kind === "processing") return [h("dl", { class: "stages" }, stages.map((stage) => this.#stage(stage, job))), this.facts("fps", "left", "frames")];
    if (kind === "ready") return [this.facts("counts", "frames", "took", "lost"), h("p", { class: "facts warnings" }, this.slot("warnings", "warn"))];
    if (kind === "failed") return [h("div", { class: "why" }, h("p", {}, this.slot("why")), h("p", { class: "muted" }, this.slot("todo")))];
    return [h("p", { class: "muted" }, this.slot(kind === "queued" ? "place" : "why"))];
  }

  /** @param {{name: string, word: string}} stage @param {Job} job */
  #stage({ name, word }, job) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": `${word}: ${job.name}` });
    this.refs[name] = bar;
    return h("div", {}, h("dt", {}, h("span", {}, word), this.slot(`${name}-done`)), h("dd", {}, bar));
  }

  /** @param {Job} job */
  #actions(job) {
    const kind = STATES[job.state].kind;
    const remove = this.act("Delete", job.name, { name: "bin", text: false }, () => this.acts.remove(job));
    if (kind === "ready") {
      return [remove, h("a", { class: "button outlined", href: `/jobs/${job.job_id}`, "aria-label": `Open: ${job.name}` }, "Open")].reverse();
    }
    if (kind === "failed" || kind === "cancelled") return [this.act("Retry", job.name, { kind: "outlined" }, () => this.acts.retry(job)), remove];
    return [this.act("Cancel", job.name, {}, () => this.acts.cancel(job))];
  }

  /** @param {Job} job @param {typeof STAGES} stages @param {number} now */
  #progress(job, stages, now) {
    for (const { name } of stages) {
      const { done, total } = job.progress[name];
      const bar = this.refs[name];
      bar.max = Math.max(1, total);
      bar.value = done;
      bar.classList.toggle("full", total > 0 && done >= total);
      this.say(`${name}-done`, name === "publish" ? "" : int(done));
    }
    const framed = stages.filter(({ name }) => name !== "publish").map(({ name }) => job.progress[name]);
    if (!framed.length) return;
    const done = Math.min(...framed.map((each) => each.done));
    const total = framed[0].total;
    if (job.progress !== this.#before) this.#rate.add(now, done);
    this.#before = job.progress;
    const rate = done < total ? this.#rate.of(now) : null;
    this.say("fps", ...(rate === null ? [] : [strong(rate < 10 ? rate.toFixed(1) : int(rate)), " fps"]));
    this.say("left", leftWords(left(rate, total - done)));
    this.say("frames", `${int(done)} of ${int(total)} frames`);
  }

  /** @param {Job} job @param {Detail | undefined} detail */
  #ready(job, detail) {
    const [from, to] = [Date.parse(job.times.processing), Date.parse(job.times.ready)];
    if (to >= from) this.say("took", `in ${took((to - from) / 1000)}`);
    const frames = detail?.frames;
    this.say("frames", frames ? `${int(frames.total)} frames` : "");
    this.say("counts", ...(detail?.counts ? counted(detail.counts) : []));
    const lost = frames ? frames.failed + frames.skipped : 0;
    this.say("lost", ...(lost ? [h("span", { class: "warn" }, icon("warn"), `${int(lost)} could not be looked at`)] : []));
    const others = (detail?.warnings ?? []).filter(({ code }) => code !== "damaged" || !lost);
    this.say("warnings", ...(others.length ? [icon("warn"), others.map(({ detail: said }) => sentence(said)).join(" ")] : []));
  }

  /** @param {Job} job */
  #failed(job) {
    const { what, todo } = explain(job.code, job.reason);
    this.say("why", what);
    this.say("todo", todo);
  }
}

/** @param {{group: string, unique: number}[]} counts */
function counted(counts) {
  if (!counts.length) return ["nothing counted"];
  return countWords(counts).flatMap(([number, word], i) => [i ? ", " : "", strong(number), ` ${word}`]);
}

/** @param {number} seconds */
function took(seconds) {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
