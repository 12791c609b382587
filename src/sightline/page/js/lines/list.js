// The panel "Lines and zones": what is drawn, what is counted there, whether it is kept, and ways in and out.

import { $, button, h, icon } from "../ui.js";
import { clock } from "../words.js";
import { describe, isEverything } from "./counts.js";
import { copying } from "./copying.js";
import { jsonDialog } from "./json_dialog.js";
import { keyOf } from "./geometry.js";
import { shapeRow } from "./shape_row.js";

/**
 * @param {import("./shape_row.js").Parts} parts
 * @param {import("./editor.js").Editor} editor
 * @param {ReturnType<typeof import("./keep.js").keeps>} keep
 */
export function mountList(parts, editor, keep) {
  const { state, drawing } = parts;
  const list = h("ul", { class: "shape-list" });
  const notice = h("div", { class: "lines-notice", role: "status" });
  const counting = h("p", { class: "muted small pad counting", role: "status" });
  const unplaced = h("p", { class: "muted small pad unplaced", role: "status" });
  const json = jsonDialog(parts);
  const copied = copying(parts, keep);
  const tool = (/** @type {string} */ label, /** @type {"line" | "zone"} */ name, /** @type {string} */ key) =>
    button(label, { name, title: `Draw a ${name} (${key})` }, (e) => editor.use(name, e.detail === 0));
  $("#shapes").append(
    h("div", { class: "panel-head" }, h("h2", { id: "shapes-title" }, "Lines and zones"), h("div", { class: "end" },
      tool("Line", "line", "l"), tool("Zone", "zone", "p"))),
    notice, list, counting, unplaced,
    h("div", { class: "panel-foot" }, button("Copy from another job", { name: "copy" }, copied), button("JSON", { name: "down", title: "Lines and zones as text and file" }, json)));

  let built = "";
  const draw = () => {
    const { shapes, shape } = state.values;
    const key = JSON.stringify([shapes.map(keyOf), shape]);
    if (key !== built) rebuild(list, shapes.map((/** @type {any} */ s) => shapeRow(keyOf(s), s.name === shape, parts)), drawing.chosen);
    built = key;
    if (!shapes.length && state.values.loaded) list.replaceChildren(h("li", { class: "none muted" }, "No line yet. Draw one across a road: the count is there at once, from the stored tracks."));
    for (const li of list.children) /** @type {any} */ (li).update?.();
  };
  state.on(["shapes", "shape", "counts", "preview", "loaded", "classes", "audit"], draw);
  state.on(["row", "boxes"], () => {
    for (const li of list.children) if (li.dataset.shape?.startsWith("zone")) /** @type {any} */ (li).update?.();
  });
  const tell = () => {
    const { state: how, words } = state.values.counting;
    counting.classList.toggle("wrong", how === "failed");
    counting.textContent = how === "counted" ? `Counted from the stored tracks${isEverything(state.values.filter) ? "" : `: ${describe(state.values.filter)}`}.` : words;
    counting.hidden = !state.values.shapes.length && how === "counted";
  };
  state.on(["counting", "filter", "shapes"], tell);
  state.on(["counts"], () => {
    const spans = state.values.counts?.unplaced ?? [];
    unplaced.textContent = spans.map(lost).join(" ");
    unplaced.hidden = !spans.length;
  });
  state.on(["saving"], () => notice.replaceChildren(...saving(state.values.saving, keep)));
  draw();
  tell();
}

/** @param {{names: string[], start_s: number, end_s: number}} span */
const lost = ({ names, start_s, end_s }) => `Not followed from ${clock(start_s, 2)} to ${clock(end_s, 2)}: ${names.join(", ")}.`;

/** Rows anew, the focus where it was. @param {HTMLElement} list @param {HTMLElement[]} rows @param {any} chosen */
function rebuild(list, rows, chosen) {
  const active = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const field = active?.dataset.field;
  const isOpen = Boolean(list.querySelector(".open details[open]"));
  list.replaceChildren(...rows);
  const open = list.querySelector(".open");
  if (isOpen && open) $("details", open).open = true;
  if (!field) return;
  const again = [...list.querySelectorAll("[data-field]")].find((el) => /** @type {HTMLElement} */ (el).dataset.field === field);
  const row = chosen && list.querySelector(".open .shape-row");
  /** @type {HTMLElement | null} */ (again ?? row ?? list.querySelector(".shape-row"))?.focus({ preventScroll: true });
}

/** What is to be said of keeping: nothing while all is well. @param {any} saving @param {ReturnType<typeof import("./keep.js").keeps>} keep */
function saving(saving, keep) {
  const said = (/** @type {string} */ kind, /** @type {string} */ text, /** @type {any[]} */ ...acts) =>
    [h("div", { class: `notice ${kind}` }, icon(kind), h("div", { class: "body" }, h("p", {}, text)), acts.length ? h("div", { class: "actions" }, acts) : null)];
  if (saving.state === "changed") {
    const n = saving.theirs.lines.length + saving.theirs.zones.length;
    return said("warn", `Somebody else has drawn on this job meanwhile: there ${n === 1 ? "is 1 line or zone" : `are ${n} lines and zones`} now. What you see here is not kept yet.`,
      button("Take theirs", { kind: "outlined", title: "Undo brings yours back" }, keep.takeTheirs), button("Keep mine", { kind: "outlined", title: "In place of theirs" }, keep.keepMine));
  }
  if (saving.state === "failed") {
    const words = why(saving.error);
    return said("error", `Not kept: ${words}${saving.again ? " It is tried again." : " Change the line, or undo."}`, saving.again ? button("Try now", { kind: "outlined" }, keep.now) : null);
  }
  if (saving.state === "unread") return said("error", `The lines of this job could not be read: ${why(saving.error)}`);
  return [];
}

/** @param {any} error */
const why = (error) => (error.code === "not_ready" ? "The size of the picture is not known before the job has begun." : error.why ?? error.message);
