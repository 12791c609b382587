// The home page: what comes from the service, what somebody does, and the list that shows both.

import { Refused, askJson } from "../api.js";
import { askAgain, askForTokens } from "../token.js";
import { $, announce, button, h, themeButton } from "../ui.js";
import { bytes, int } from "../words.js";
import { actsOf } from "./acts.js";
import { Details } from "./details.js";
import { dropZone } from "./drop.js";
import { Feed } from "./feed.js";
import { Filters } from "./filters.js";
import { JobRow } from "./job-row.js";
import { ACTIVE, Jobs } from "./jobs.js";
import { LinkState } from "./link.js";
import { List } from "./list.js";
import { complain, notice, unsay } from "./notices.js";
import { openPaths } from "./paths.js";
import { refusal } from "./probe.js";
import { Tray } from "./tray.js";
import { UploadRow } from "./upload-row.js";
import { Uploads } from "./upload.js";
import { STATES } from "./words.js";

/** @typedef {import("./jobs.js").Job} Job */
/** @typedef {{pipelines: string[], max_bytes: number | null, paths: boolean}} Service */

const PAGE = 50;
const MOST_TOLD = 200; // jobs under way that the service lists at the start
const MOST_ASKED = 10; // pages without a job of a name, before somebody has to ask for more

const jobs = new Jobs();
const list = new List($("#list"), $("#jobs"));
/** @type {Map<string, string>} jobs that files turned into, by key of their row */
const became = new Map();
/** @type {Service} */
let service = { pipelines: ["traffic"], max_bytes: null, paths: false };
/** @type {Record<string, number> | null} */
let byState = null;
let loaded = false;
let cursor = "";
let pages = 0;
let asked = 0;
let wantFocus = "";
/** @type {import("./upload.js").Item | null} whose file is being chosen */
let expected = null;

const filters = new Filters(() => again().catch(said("The list could not be read")));
const details = new Details(render);
const uploads = new Uploads(render, async (item, id) => {
  became.set(item.key, id);
  await askJson(`/jobs/${id}`).then((job) => take([job]), said(`${item.name} became a job that could not be read`));
});
const tray = new Tray((file, options) => send(file, options));
const link = new LinkState({ retry: () => feed.now(), token: giveToken });
const feed = new Feed({
  jobs: (news, first) => {
    const before = total();
    byState = news.by_state;
    take(news.items);
    if (first && news.items.length < MOST_TOLD) jobs.untold(news.items).forEach(look);
    // Events do not tell of a job that had ended and was removed elsewhere; that there are fewer does.
    if (total() < before) refresh().catch(said("The list could not be read"));
  },
  progress: (news) => {
    link.heard();
    jobs.progress(news);
    render();
  },
  link: (now) => {
    if (now.kind === "asking") byState = null;
    link.show(now);
  },
  refresh: async () => {
    await refresh();
    service = await askJson("/service");
    showService();
  },
});
const acts = actsOf({
  merge: (job) => take([job]),
  gone: (id) => {
    jobs.remove(id);
    render();
  },
  focus: (id) => (wantFocus = id),
});

/** @param {string} title @returns {(error: unknown) => void} says an error; that the service is away is said already */
function said(title) {
  return (error) => {
    if (!(error instanceof Refused)) throw error;
    if (error.status > 0) complain(title, error);
  };
}

/** How many jobs there are in all, as far as anybody said it. */
const total = () => Object.values(byState ?? {}).reduce((sum, n) => sum + n, 0);

// --- what comes in

/** @param {Job[]} items */
function take(items) {
  link.heard();
  for (const { job } of jobs.merge(items)) {
    if (!ACTIVE.includes(job.state)) announce(`${job.name}: ${STATES[job.state].word}`);
  }
  render();
}

/** Ask for a job that nobody told of. @param {string} id */
async function look(id) {
  try {
    take([await askJson(`/jobs/${id}`)]);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 404) jobs.remove(id);
    render();
  }
}

/** @returns {Promise<boolean>} whether there is a token now */
async function giveToken() {
  const given = await askAgain();
  if (given) feed.now();
  return given;
}

/** @param {string} after cursor @returns {Promise<{items: Job[], next: string | null}>} */
function pageOf(after) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const state of filters.view.states) query.append("state", state);
  if (filters.name) query.set("name", filters.name);
  if (after) query.set("cursor", after);
  return askJson(`/jobs?${query}`);
}

/** Ask for the first page; those behind it stay as they are. */
async function refresh() {
  const mine = ++asked;
  const page = await pageOf("");
  if (mine !== asked) return;
  if (pages <= 1) [cursor, pages] = [page.next ?? "", 1];
  jobs.first(page.items, page.next === null, filters.wanted);
  loaded = true;
  take([]);
  if (filters.name) await more(page.items.length);
}

/** Something else is looked at. */
async function again() {
  jobs.restart();
  pages = 0;
  render();
  await refresh();
}

/** Ask for the next page, and for further ones until there is something to show. @param {number} [found] */
async function more(found = 0) {
  const mine = asked;
  for (let n = 0; cursor && found < 1 && n < MOST_ASKED; n++) {
    const page = await pageOf(cursor);
    if (mine !== asked) return;
    [cursor, pages] = [page.next ?? "", pages + 1];
    jobs.more(page.items, page.next === null);
    found += page.items.length;
  }
  render();
}

/** The button goes with the last page: the focus then goes to the first row of that. */
async function showMore() {
  const last = $("#list").lastElementChild;
  await more();
  draw();
  if (!cursor) list.rows.get(last?.nextElementSibling?.dataset.key)?.focus();
}

function showService() {
  tray.pipelines(service.pipelines);
  $("#limits").textContent = service.max_bytes === null ? "" : ` Up to ${bytes(service.max_bytes)} each.`;
  $("#paths").hidden = !service.paths;
}

// --- files

/** @param {File[]} files */
async function choose(files) {
  const fresh = [];
  const refused = [];
  for (const file of files) {
    const why = refusal(file, service.max_bytes);
    if (why) {
      refused.push(h("span", { class: "line" }, `${file.name}: ${why}`));
      continue;
    }
    const { item, note } = await uploads.known(file);
    if (item || note) {
      announce(`${file.name} goes on where it was`);
      await uploads.add(file, { pipeline: "", name: "", clock_start: "" });
    } else fresh.push(file);
  }
  unsay("files");
  if (refused.length) notice("files", "warn", refused.length === 1 ? "A file was not taken" : `${refused.length} files were not taken`, refused);
  if (expected && fresh.length) notice("files", "warn", `This is not the ${expected.name} that was begun`, ["It has other bytes, so it is a file of its own. Choose the one that was begun to go on with it."]);
  expected = null;
  tray.add(fresh);
}

/** @param {File} file @param {import("./upload.js").Options} options */
async function send(file, options) {
  const item = await uploads.add(file, options);
  wantFocus ||= item.key;
  render();
}

async function demo() {
  const answer = await fetch("/page/demo.mp4").catch(() => null);
  if (!answer?.ok) return complain("The demo clip could not be read", new Refused(answer?.status ?? 0, { code: "away" }));
  const file = new File([await answer.blob()], "demo-street.mp4", { type: "video/mp4", lastModified: 0 });
  await send(file, { pipeline: "traffic", name: "Demo: a street", clock_start: "" });
}

// --- what is shown

let drawing = 0;

/** Draw soon; several changes at a time are one drawing. */
function render() {
  drawing ||= setTimeout(() => {
    drawing = 0;
    draw();
  }, 50);
}

function draw() {
  const shown = jobs.shown(filters.wanted);
  const known = new Set(shown.map((job) => job.job_id));
  const files = uploads.items.filter((item) => !known.has(became.get(item.key) ?? ""));
  const nothing = loaded && !shown.length && !files.length;
  $("#list").hidden = nothing; // first: what is hidden cannot have the focus
  if (loaded || files.length) {
    $("#list").removeAttribute("aria-busy");
    list.show([...files.map(uploadEntry), ...entries(shown)], became);
  }
  // A small file may have become a job before its row was ever drawn.
  const wanted = list.rows.get(wantFocus) ?? list.rows.get(became.get(wantFocus) ?? "");
  if (wanted) {
    wanted.focus();
    wantFocus = "";
  }
  heading(shown.length);
  $("#none").replaceChildren(...(nothing ? [none()] : []));
  $("#more").hidden = !loaded || !cursor;
}

/** @param {import("./upload.js").Item} item */
function uploadEntry(item) {
  const at = { now: performance.now(), clock: Date.now() };
  return { key: item.key, make: () => new UploadRow(item.key, uploadActs), update: (/** @type {UploadRow} */ row) => row.update(item, at) };
}

const uploadActs = {
  cancel: (/** @type {import("./upload.js").Item} */ item) => {
    announce(`${item.name}: given up`);
    uploads.cancel(item).catch(said(`${item.name} could not be given up`));
  },
  retry: async (/** @type {import("./upload.js").Item} */ item) => {
    if (item.error?.status === 401 && !(await giveToken())) return;
    uploads.retry(item);
  },
  choose: (/** @type {import("./upload.js").Item} */ item) => {
    expected = item;
    $("#files").click();
  },
};

/** @param {Job[]} shown */
function entries(shown) {
  const places = jobs.places();
  const now = performance.now();
  return shown.map((job) => ({
    key: job.job_id,
    make: () => new JobRow(job.job_id, acts),
    update: (/** @type {JobRow} */ row) => {
      row.update(job, { place: places.get(job.job_id), detail: details.known.get(job.job_id), now });
      if (job.state === "ready") details.want(row.el);
    },
  }));
}

/** @param {number} shown */
function heading(shown) {
  const sum = (/** @type {string[]} */ states) => states.reduce((total, state) => total + (byState?.[state] ?? 0), 0);
  const active = (byState ? sum(ACTIVE) : jobs.active()) + uploads.busy;
  document.title = active ? `(${active}) Jobs · Sightline` : "Jobs · Sightline";
  filters.totals(byState);
  $("#summary").textContent = !loaded ? "" : byState ? `${active} active, ${int(shown)} of ${int(total())} shown` : `${int(shown)} shown`;
}

function none() {
  const words = filters.narrow
    ? [h("h3", {}, "No such jobs"), h("p", { class: "muted" }, "No job is in this state and has this name."), button("Show all", { kind: "outlined" }, () => filters.set("all", ""))]
    : [h("h3", {}, "No jobs yet"), h("p", { class: "muted" }, "Drop a video above or take the demo clip. You get boxes on the picture, counts of each class, and one line of evidence for every crossing."), button("Try the demo clip", { kind: "outlined" }, demo)];
  return h("div", { class: "panel empty" }, words);
}

function skeleton() {
  $("#list").append(...[1, 2, 3].map(() => h("li", { class: "job" }, h("div", { class: "skeleton name" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton work" }))));
}

function main() {
  askForTokens();
  themeButton($("#theme"));
  skeleton();
  showService();
  link.show({ kind: "connecting" });
  dropZone(choose);
  $("#demo").addEventListener("click", demo);
  $("#paths").addEventListener("click", () => openPaths(service.pipelines, (job) => take([job])));
  $("#show-more").addEventListener("click", () => showMore().catch(said("No more jobs could be read")));
  addEventListener("online", () => feed.now());
  addEventListener("beforeunload", (event) => {
    if (uploads.busy) event.preventDefault(); // the browser asks whether to leave
  });
  setInterval(() => uploads.items.some((item) => item.stage === "trying") && render(), 1000);
  uploads.recall();
  feed.run();
}

main();
