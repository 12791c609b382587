// Copies the lines and zones of another job: of the same camera, so those with the same picture come first.

import { announce, button, dialog, h } from "../ui.js";
import { askJson, Refused } from "../api.js";
import { sameFirst } from "./same_first.js";

const REST_MS = 250;

/** @param {import("./shape_row.js").Parts} parts @param {ReturnType<typeof import("./keep.js").keeps>} keep @returns {() => void} opens it */
export function copying({ state, drawing }, keep) {
  const search = h("input", { type: "search", "aria-label": "Name of the job", placeholder: "Name of the job", autocomplete: "off" });
  const list = h("ul", { class: "jobs-to-copy" });
  const said = h("p", { class: "muted small", role: "status" });
  const error = h("p", { class: "hint-error", role: "alert" });
  const el = dialog("Copy lines from another job", h("p", { class: "muted replaces" }), h("div", { class: "row" }, search), said, list, error);
  /** @type {AbortController | null} */
  let flight = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const copy = async (/** @type {any} */ job) => {
    error.textContent = "";
    try {
      const n = await keep.copy(job.job_id);
      announce(`${n} lines and zones copied from ${job.name}`);
      el.close();
    } catch (failure) {
      if (!(failure instanceof Refused)) throw failure;
      error.textContent = failure.status === 412 ? "Somebody else has drawn on this job meanwhile. Load the page again, then copy." : `Not copied: ${failure.message}`;
    }
  };
  const find = async () => {
    flight?.abort();
    const mine = (flight = new AbortController());
    const { job } = state.values;
    try {
      const { items } = await askJson(`/jobs?limit=50&name=${encodeURIComponent(search.value.trim())}`, { signal: mine.signal });
      const found = sameFirst(items, job);
      said.textContent = found.length ? "" : "No other job has this in its name.";
      list.replaceChildren(...found.map((other) => h("li", {},
        h("span", { class: "what" }, h("span", { class: "name" }, other.name), h("span", { class: "muted small" }, facts(other, job))),
        button("Copy", { kind: "outlined", "aria-label": `Copy from ${other.name}` }, () => copy(other)))));
    } catch (failure) {
      if (mine.signal.aborted) return;
      if (!(failure instanceof Refused)) throw failure;
      error.textContent = failure.message;
    }
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, REST_MS);
  });
  return () => {
    const n = drawing.shapes.length;
    /** @type {HTMLElement} */ (el.querySelector(".replaces")).textContent = n ? `They replace the ${n === 1 ? "one" : n} that ${n === 1 ? "is" : "are"} here; undo brings them back.` : "Those of the same camera fit.";
    error.textContent = "";
    el.showModal();
    search.focus();
    find();
  };
}

/** @param {any} other @param {any} job */
function facts({ created_at, source }, job) {
  const size = source?.width ? `${source.width} × ${source.height}` : "size not known";
  const same = source?.width && source.width === job.source?.width && source.height === job.source?.height;
  return `${new Date(created_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}, ${size}${same ? ", same picture" : ""}`;
}
