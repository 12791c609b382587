// Adding an object that was not counted: its line, direction and class are chosen, its place is clicked on the picture.

import { announce, button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { placesOf } from "./audit_facts.js";
import { offer } from "./choices.js";

const WAYS = new Map([["zone_enter", "entered"], ["zone_exit", "left"]]);

/**
 * @param {import("../state.js").State} state
 * @param {any} player
 * @param {(verdict: Record<string, unknown>, what: string) => void} say what goes to the service
 */
export function missedForm(state, player, say) {
  const way = h("select", { id: "missed-way" });
  const label = h("select", { id: "missed-label" });
  const where = h("p", { class: "small", role: "status" });
  const begin = button("Add a missed one", { name: "pointer", kind: "outlined", "aria-expanded": "false", id: "missed" }, () => state.set({ tool: state.values.tool === "missed" ? "select" : "missed" }));
  const form = h("div", { class: "missed", hidden: true },
    h("label", { for: "missed-way" }, "Direction", way), h("label", { for: "missed-label" }, "Class", label), where,
    button("Add without a place", { kind: "outlined" }, () => add(null)));
  let name = "";

  /** @param {number[] | null} point 0..1 */
  const add = (point) => {
    const { frames, row } = state.values;
    const place = placesOf(state.values.shapes).filter((each) => each.name === name)[Number(way.value)];
    const { width, height } = player.size;
    const at = point ? { x: point[0] * width, y: point[1] * height } : {};
    const { kind, direction } = place;
    say({ verdict: "missed", kind, name, direction, label: label.value, frame: frames.frame[row], ...at }, `${label.value} missed at ${clock(frames.pts[row] / 1e6, 1)}`);
  };
  const follow = () => {
    const { frames, row, tool } = state.values;
    if (tool !== "missed" || !frames) return;
    where.textContent = `Stop where it crosses, then click on it in the picture. Now: frame ${int(frames.frame[row])}, ${clock(frames.pts[row] / 1e6, 2)}.`;
  };
  const show = () => {
    const on = state.values.tool === "missed";
    if (on && form.hidden) {
      player.loop(null);
      player.pause();
      announce("Stop where it crosses, then click on it in the picture.");
    }
    form.hidden = !on;
    begin.setAttribute("aria-expanded", String(on));
    begin.setAttribute("aria-pressed", String(on));
    follow();
  };
  player.canvas.addEventListener("click", (/** @type {MouseEvent} */ e) => {
    if (state.values.tool === "missed" && !form.hidden) add(player.toPicture(e.clientX, e.clientY));
  });
  state.on(["tool"], show);
  state.on(["row"], follow);
  return {
    el: h("div", { class: "pad" }, begin, form),
    /** @param {string} chosen name of the line or zone */
    offer(chosen) {
      name = chosen;
      const ways = placesOf(state.values.shapes).filter((each) => each.name === name);
      offer(way, ways.map(({ kind, direction }, i) => [String(i), WAYS.get(kind) ?? direction]));
      offer(label, state.values.classes.map((/** @type {any} */ c) => [c.label, c.label]));
      begin.disabled = !ways.length;
    },
  };
}
