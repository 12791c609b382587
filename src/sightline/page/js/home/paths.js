// Videos and folders of images that lie on the service's own disk: walk them, start jobs of them.

import { Refused, askJson } from "../api.js";
import { announce, button, dialog, h, icon } from "../ui.js";
import { bytes } from "../words.js";
import { explain, pipelineWords } from "./words.js";

/** @typedef {{name: string, path: string, kind: "folder" | "video" | "images", bytes: number | null}} Entry */

/** @param {string[]} pipelines @param {(job: any) => void} started */
export function openPaths(pipelines, started) {
  const pipeline = h("select", { id: "paths-pipeline" }, pipelines.map((name) => h("option", { value: name, selected: name === "traffic" }, pipelineWords(name))));
  const crumbs = h("nav", { class: "crumbs", "aria-label": "Folder" });
  const list = h("ul", { class: "paths", tabindex: 0, "aria-label": "Files" });
  const said = h("p", { class: "muted", role: "status" });
  const el = dialog("Videos on the server", h("div", { class: "paths-head" }, h("label", { for: "paths-pipeline" }, "Pipeline"), pipeline), crumbs, list, said);

  /** @param {string} path */
  async function walk(path) {
    try {
      const { items, cut } = await askJson(`/paths?${new URLSearchParams({ path })}`);
      crumbs.replaceChildren(...crumbsOf(path).map(({ name, to }) => button(name, { "aria-current": to === path ? "true" : null }, () => walk(to))));
      list.replaceChildren(...items.map((/** @type {Entry} */ entry) => row(entry)));
      said.textContent = items.length ? (cut ? "There is more in this folder than is listed." : "") : "Nothing that is read here lies in this folder.";
      /** @type {HTMLElement | null} */ (list.querySelector("button") ?? crumbs.querySelector("button"))?.focus();
    } catch (error) {
      tell(error);
    }
  }

  /** @param {Entry} entry */
  function row(entry) {
    const size = h("span", { class: "muted" }, entry.bytes === null ? "" : bytes(entry.bytes));
    if (entry.kind === "folder") {
      return h("li", {}, button(entry.name, { name: "folder", kind: "path", "aria-label": `Open folder ${entry.name}` }, () => walk(entry.path)));
    }
    return h("li", {},
      h("span", { class: "path" }, icon(entry.kind === "images" ? "images" : "film"), h("span", { class: "path-name" }, entry.name), size),
      button("Start", { kind: "outlined", "aria-label": `Start a job of ${entry.name}` }, (event) => start(entry, event.currentTarget)));
  }

  /** @param {Entry} entry @param {HTMLButtonElement} from */
  async function start(entry, from) {
    from.disabled = true;
    try {
      started(await askJson("/jobs", { method: "POST", json: { source: { path: entry.path }, pipeline: pipeline.value } }));
      said.textContent = `${entry.name} started.`;
      announce(`${entry.name} started`);
    } catch (error) {
      tell(error);
    } finally {
      from.disabled = false;
    }
  }

  /** @param {unknown} error */
  function tell(error) {
    if (!(error instanceof Refused)) throw error;
    const { what, todo } = explain(error.code, error.message);
    said.textContent = `${what} ${todo}`;
  }

  el.addEventListener("close", () => el.remove());
  el.showModal();
  walk("");
}

/** The folders above a path, from the first one. @param {string} path @returns {{name: string, to: string}[]} */
export function crumbsOf(path) {
  const parts = path.split("/").filter(Boolean);
  return [{ name: "Server", to: "" }, ...parts.map((name, i) => ({ name, to: parts.slice(0, i + 1).join("/") }))];
}
