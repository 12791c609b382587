// Lines and zones as text: to read, to paste, to load from a file, and to take along for `sightline count`.

import { announce, button, copy, dialog, h } from "../ui.js";
import { parse } from "./checks.js";
import { ordered, toText } from "./geometry.js";

/** @param {import("./shape_row.js").Parts} parts @returns {() => void} opens it */
export function jsonDialog({ state, player, drawing }) {
  const area = h("textarea", { rows: 14, spellcheck: "false", "aria-label": "Lines and zones as JSON" });
  const error = h("p", { class: "hint-error", role: "alert" });
  const file = h("input", { type: "file", class: "hide", id: "lines-file", accept: ".json,application/json" });
  const apply = () => {
    const size = state.values.job.source?.width ? player.size : null;
    const { shapes, wrong } = parse(area.value, size);
    error.textContent = wrong ?? "";
    if (shapes === null) return area.focus();
    drawing.put(ordered(shapes), { shape: null });
    announce(`${shapes.length} lines and zones drawn`);
    el.close();
  };
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    area.value = await chosen.text();
    apply();
  });
  const el = dialog("Lines and zones as JSON",
    h("p", { class: "muted" }, "Points run from 0 to 1, from the upper left corner. ", h("code", {}, "sightline count RUN --lines lines.json --zones lines.json"), " reads this file."),
    area, error,
    h("div", { class: "row wrap" },
      button("Copy", { name: "copy", kind: "outlined" }, () => copy(area.value, "Lines and zones")),
      button("Download", { name: "down", kind: "outlined" }, () => download(area.value)),
      h("label", { class: "button outlined", for: "lines-file" }, "Open a file"), file,
      button("Apply", { kind: "primary" }, apply)));
  el.classList.add("json-dialog");
  return () => {
    area.value = toText(state.values.shapes);
    error.textContent = "";
    el.showModal();
  };
}

/** @param {string} text */
function download(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: address, download: "lines.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000); // the browser has begun to save by then
}
