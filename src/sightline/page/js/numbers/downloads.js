// Downloads: every format with size and use, as a link and as a command.

import { askJson } from "../api.js";
import { button, copy, h, icon } from "../ui.js";
import { bytes } from "../words.js";
import { asking, trouble, whenSeen } from "./asking.js";
import { filesOf } from "./files.js";

/** @param {import("../state.js").State} state */
export function mountDownloads(state) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#downloads-panel"));
  const list = h("ul", { class: "files" });
  const again = asking({
    ask: (signal) => askJson(`/jobs/${state.values.job.job_id}/results`, { signal }),
    done: (results) => {
      failed.say("");
      list.replaceChildren(...filesOf(results, state.values.job.job_id).map(item));
    },
    failed: (error) => failed.say(`The files could not be listed. ${error.message}`),
    wait: 0,
  });
  const failed = trouble(again);
  root.replaceChildren(h("div", { class: "panel-head" }, h("h2", { id: "downloads", tabindex: "-1" }, "Downloads")), failed.el, list);
  let asked = false;
  const show = () => {
    if (state.values.job?.state !== "ready") return list.replaceChildren(h("li", { class: "none muted" }, "Files appear when every frame has been looked at."));
    if (asked) return;
    asked = true;
    list.replaceChildren(h("li", { class: "none muted" }, "Looking for files."));
    whenSeen(root, again);
  };
  state.on(["job"], show);
  show();
}

/** @param {ReturnType<typeof filesOf>[number]} file */
function item({ name, use, size, link }) {
  const url = new URL(link, location.href).href;
  return h("li", { "data-file": name },
    h("div", { class: "what" }, h("span", { class: "mono file" }, name), h("span", { class: "muted" }, use)),
    h("span", { class: "num muted size" }, size === null ? "on request" : bytes(size)),
    button(`Copy curl for ${name}`, { name: "copy", text: false, title: "Copy curl" }, () => void copy(`curl -fOJ "${url}"`, "Command")),
    h("a", { class: "button outlined", href: link, download: true }, icon("down"), size === null ? "Make" : "Get", h("span", { class: "hide" }, ` ${name}`)));
}
