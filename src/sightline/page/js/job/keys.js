// The keys of the player, and the list of all keys. Those that draw are with the lines, those of the audit with the audit.

import { toggleClass } from "../lines/filters.js";
import { $, dialog, h, store, stored } from "../ui.js";
import { fullScreen, toggleShow } from "./tools.js";

const SKIP_US = 5e6;
const PAN_PX = 60;

/** @type {[string, ...string[]][]} */
const LIST = [
  ["Play or pause", "Space"], ["Frame back, on", ",", "."], ["5 seconds back, on", "←", "→"], ["Event before, after", "[", "]"],
  ["Zoom in, out, whole picture", "+", "-", "0"], ["Move the enlarged picture", "Alt", "Arrows"], ["Zoom at the pointer", "Ctrl", "Wheel"], ["Move by pointer", "Shift", "Drag"],
  ["Classes on, off", "1 to 9"], ["Boxes, ids, trails, lines", "b", "i", "t", "z"], ["Select, draw a line, a zone", "v", "l", "p"], ["Place it without a pointer", "Enter"],
  ["Move a point by 1, 10 px", "Arrows", "Shift"], ["Reverse direction", "r"], ["Delete line or zone", "Del"], ["Undo, redo", "Ctrl Z", "Ctrl Y"],
  ["Audit: accept, reject", "a", "x"], ["Audit: next, previous", "n", "p"], ["End drawing, deselect", "Esc"], ["Full screen", "f"], ["This list", "?"],
];

/**
 * @param {import("../state.js").State} state @param {import("./player.js").Player} player
 * @param {{step: (way: number) => void, event: (way: number) => void, toggle: () => void}} transport
 */
export function mountKeys(state, player, transport) {
  const single = h("input", { type: "checkbox" });
  single.checked = stored("keys", true);
  single.addEventListener("change", () => store("keys", single.checked));
  const list = h("dl", { class: "keys" }, LIST.map(([what, ...keys]) => h("div", {}, h("dt", {}, what), h("dd", {}, keys.map((key) => h("kbd", {}, key))))));
  const help = dialog("Keys", list, h("label", { class: "check" }, single, "Single keys are on. Switch them off if you use speech input."));
  $("#help").addEventListener("click", () => help.showModal());

  const skip = (/** @type {number} */ us) => player.seekUs(Math.max(0, player.us + us));
  /** @type {Record<string, () => void>} */
  const acts = {
    " ": transport.toggle, ",": () => transport.step(-1), ".": () => transport.step(1), "[": () => transport.event(-1), "]": () => transport.event(1),
    ArrowLeft: () => skip(-SKIP_US), ArrowRight: () => skip(SKIP_US),
    "+": () => player.zoom(1.5), "=": () => player.zoom(1.5), "-": () => player.zoom(1 / 1.5), 0: () => player.whole(),
    b: () => toggleShow(state, "boxes"), i: () => toggleShow(state, "ids"), t: () => toggleShow(state, "trails"), z: () => toggleShow(state, "zones"),
    Escape: () => state.set({ shape: null, track: null }), f: fullScreen, "?": () => help.showModal(),
  };
  for (let digit = 1; digit <= 9; digit++) {
    acts[digit] = () => {
      const label = [...new Set(state.values.classes.map((/** @type {any} */ each) => each.label))][digit - 1];
      if (label !== undefined) toggleClass(state, label);
    };
  }
  /** @type {Record<string, number[]>} */
  const pans = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] };

  addEventListener("keydown", (e) => {
    const target = /** @type {HTMLElement} */ (e.target);
    if (e.defaultPrevented || document.querySelector("dialog[open]")) return;
    const typing = target.matches("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
    if (e.altKey && pans[e.key] && target === player.canvas) {
      e.preventDefault();
      player.pan(pans[e.key]);
      return;
    }
    if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
    // A slider keeps its arrows, a button its space; the timeline takes 5 s.
    if (e.key.startsWith("Arrow") && target.matches("input[type=range], [role=listbox]") && !target.closest("#timeline")) return;
    if (e.key === " " && target.matches("button, a, summary, input")) return;
    if (e.key.length === 1 && e.key !== " " && !single.checked) return;
    const act = acts[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
}
