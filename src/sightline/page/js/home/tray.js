// Files that were chosen and not yet sent: what this browser can read of each, and what is to be done with them.

import { $, announce, button, h, icon } from "../ui.js";
import { look, probeWords } from "./probe.js";
import { pipelineWords, rfc3339 } from "./words.js";

/** @typedef {{file: File, el: any, name: any, clock: any}} Chosen */

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export class Tray {
  /** @type {Chosen[]} */
  #chosen = [];
  #made = 0;

  /** @param {(file: File, options: import("./upload.js").Options) => void} send */
  constructor(send) {
    this.send = send;
    this.pipeline = h("select", { id: "pipeline" });
    this.list = h("ul", { class: "chosen" });
    this.go = h("button", { class: "primary" });
    this.form = h("form", { class: "panel tray", "aria-labelledby": "tray-title" },
      h("h2", { id: "tray-title" }, "Ready to send"),
      this.list,
      h("div", { class: "tray-foot" },
        h("label", { for: "pipeline" }, "Pipeline"), this.pipeline,
        h("div", { class: "end" }, button("Leave all out", {}, () => this.#clear()), this.go)));
    this.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#sendAll();
    });
  }

  /** @param {string[]} names of pipelines */
  pipelines(names) {
    const chosen = this.pipeline.value || (names.includes("traffic") ? "traffic" : names[0]);
    this.pipeline.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === chosen }, pipelineWords(name))));
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) this.#one(file);
    this.#show();
    if (files.length) this.go.focus();
  }

  /** @param {File} file */
  #one(file) {
    this.#made += 1;
    const [name, clock] = [`chosen-${this.#made}-name`, `chosen-${this.#made}-clock`];
    const probe = h("p", { class: "probe" }, probeWords(file.size, undefined));
    const entry = {
      file,
      name: h("input", { id: name, type: "text", maxlength: 255, value: file.name, autocomplete: "off" }),
      clock: h("input", { id: clock, type: "datetime-local", step: 1, "aria-describedby": `${clock}-hint` }),
      el: h("li", {}),
    };
    entry.el.append(
      h("div", { class: "chosen-head" },
        h("div", { class: "name" }, h("h3", { title: file.name }, file.name), probe),
        button(`Leave out ${file.name}`, { name: "close", text: false }, () => this.#remove(entry))),
      h("details", {},
        h("summary", { "aria-label": `Name and clock of ${file.name}` }, "Name and clock"),
        h("div", { class: "fields" },
          h("label", { for: name }, "Name of the job"), entry.name,
          h("label", { for: clock }, "Clock at its first frame"), entry.clock,
          h("p", { class: "muted small", id: `${clock}-hint` }, `In your time zone, ${ZONE}. Tables of 15 minutes then begin at :00, :15, :30 and :45.`))));
    this.#chosen.push(entry);
    this.list.append(entry.el);
    look(file).then((found) => (probe.textContent = probeWords(file.size, found)));
  }

  /** @param {Chosen} entry */
  #remove(entry) {
    const next = entry.el.nextElementSibling ?? entry.el.previousElementSibling;
    this.#chosen = this.#chosen.filter((each) => each !== entry);
    entry.el.remove();
    announce(`${entry.file.name} left out`);
    this.#show();
    if (next) $(".square", next).focus();
    else $("#files").focus();
  }

  #clear() {
    this.#chosen = [];
    this.list.replaceChildren();
    this.#show();
    $("#files").focus();
  }

  #sendAll() {
    const sent = this.#chosen;
    this.#clear();
    for (const { file, name, clock } of sent) {
      const called = name.value.trim();
      this.send(file, { pipeline: this.pipeline.value, name: called === file.name ? "" : called, clock_start: rfc3339(clock.value) });
    }
  }

  #show() {
    const n = this.#chosen.length;
    this.go.replaceChildren(icon("upload"), n === 1 ? "Send" : `Send ${n} files`);
    if (n) $("#tray").replaceChildren(this.form);
    else this.form.remove();
  }
}
