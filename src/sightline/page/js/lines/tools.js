// The tools above the picture, and the keys that do the same.

import { $, button, h, stored } from "../ui.js";

/** @typedef {{use: (tool: string, place?: boolean) => void, undo: () => void, redo: () => void, remove: () => void, reverse: () => void}} Acts */

/** @param {import("../state.js").State} state @param {Acts} acts */
export function mountTools(state, acts) {
  const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ key, /** @type {string} */ symbol) =>
    button(label, { name: symbol, text: name !== "select", "data-tool": name, title: `${label} (${key})` }, (e) => acts.use(name, e.detail === 0));
  const redo = button("Redo", { name: "undo", text: false, kind: "redo", title: "Redo (Ctrl Shift Z)" }, acts.redo);
  const group = h("div", { role: "group", "aria-label": "Tools" },
    tool("select", "Select", "v", "pointer"), tool("line", "Line", "l", "line"), tool("zone", "Zone", "p", "zone"),
    button("Undo", { name: "undo", text: false, title: "Undo (Ctrl Z)" }, acts.undo), redo);
  $("#tools").prepend(group);
  const show = () => {
    for (const el of group.querySelectorAll("[data-tool]")) el.setAttribute("aria-pressed", String(el.dataset.tool === state.values.tool));
  };
  state.on(["tool"], show);
  show();
  addEventListener("keydown", (e) => key(e, acts, state.values.tool === "line" || state.values.tool === "zone"));
}

/** @param {KeyboardEvent} e @param {Acts} acts @param {boolean} draws */
function key(e, acts, draws) {
  const at = /** @type {Element} */ (e.target);
  const types = at.matches?.("input:not([type=range]):not([type=checkbox]), textarea, select");
  if (e.defaultPrevented || types || e.altKey || document.querySelector("dialog[open]")) return;
  const act = e.ctrlKey || e.metaKey ? withControl(e, acts) : e.key === "Escape" && draws ? () => acts.use("select") : alone(e.key, acts);
  if (!act) return;
  e.preventDefault();
  act();
}

/** @param {KeyboardEvent} e @param {Acts} acts */
function withControl(e, acts) {
  const letter = e.key.toLowerCase();
  if (letter === "z") return e.shiftKey ? acts.redo : acts.undo;
  return letter === "y" ? acts.redo : null;
}

/** Single keys, unless the reader has switched them off: speech input types them by chance. @param {string} key @param {Acts} acts */
function alone(key, acts) {
  if (key === "Delete") return acts.remove;
  if (!stored("keys", true)) return null;
  /** @type {Record<string, () => void>} */
  const each = { v: () => acts.use("select"), l: () => acts.use("line"), p: () => acts.use("zone"), r: acts.reverse };
  return each[key] ?? null;
}
