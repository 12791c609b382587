// Lists of the audit: verdicts that could not be written, objects that were added, verdicts that are stale.

import { rowAt } from "../job/frames.js";
import { button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { plural } from "./phrases.js";

const SPOKEN = new Map([["accept", "Accepted"], ["reject", "Rejected"], ["withdraw", "Taken back"]]);
const WAYS = new Map([["zone_enter", "entered"], ["zone_exit", "left"]]);

/** @param {string} verdict */
export const saidWords = (verdict) => SPOKEN.get(verdict) ?? verdict;

/** @param {import("./verdicts.js").Verdicts} verdicts */
export function failures(verdicts) {
  const list = h("ul");
  const el = h("div", { class: "trouble", role: "alert", hidden: true }, h("div", {}, h("p", {}, "Not saved:"), list), button("Try again", { kind: "outlined" }, () => verdicts.again()));
  let drawn = "";
  return {
    el,
    draw() {
      const items = [...verdicts.failed.values()].map(({ body, what, why }) => `${saidWords(body.verdict)}: ${what}. ${why}`);
      if (items.join("\n") === drawn) return; // an alert that is written anew is read anew
      drawn = items.join("\n");
      el.hidden = !items.length;
      list.replaceChildren(...items.map((text) => h("li", {}, text)));
    },
  };
}

/**
 * What was added, and what is stale.
 * @param {import("../job/player.js").Player} player
 * @param {(id: string, what: string) => void} withdraw
 */
export function others(player, withdraw) {
  const added = h("ul", { class: "audit-list" });
  const old = h("ul", { class: "audit-list" });
  const addedHead = h("summary");
  const oldHead = h("summary");
  const missed = h("details", { hidden: true, open: true, id: "audit-missed" }, addedHead, added);
  const stale = h("details", { hidden: true, id: "audit-stale" }, oldHead, h("p", { class: "small" }, "Their line or zone was moved or removed, so what was counted there is no longer counted. These verdicts are kept and count nothing."), old);
  /** @type {any[]} */
  let drawn = [];
  return {
    el: h("div", { class: "pad" }, missed, stale),
    /** @param {any} audit @param {string} name */
    draw(audit, name) {
      if (drawn[0] === audit && drawn[1] === name) return;
      drawn = [audit, name];
      const own = (audit?.missed ?? []).filter((/** @type {any} */ e) => e.name === name);
      const past = audit?.stale ?? [];
      missed.hidden = !own.length;
      stale.hidden = !past.length;
      addedHead.textContent = `${plural(own.length, "missed one")} added`;
      oldHead.textContent = `${plural(past.length, "verdict")} on lines as they were before`;
      added.replaceChildren(...own.map((/** @type {any} */ e) => item(e, player, withdraw)));
      old.replaceChildren(...past.map((/** @type {any} */ e) => item(e, player, withdraw)));
    },
  };
}

/** @param {any} event @param {import("../job/player.js").Player} player @param {(id: string, what: string) => void} withdraw */
function item(event, player, withdraw) {
  const { frames } = player.state.values;
  const row = frames ? rowAt(frames.frame, event.frame, 0) : -1;
  const at = row < 0 ? `frame ${int(event.frame)}` : clock(frames.pts[row] / 1e6, 1);
  const what = `${event.label}, ${WAYS.get(event.kind) ?? event.direction} by ${event.name}, ${at}`;
  const go = () => {
    player.loop(null);
    player.pause();
    player.seekRow(row);
    if (event.x !== null && event.x !== undefined) player.ring(event.x, event.y);
  };
  return h("li", {}, h("button", { type: "button", class: "link", disabled: row < 0, onclick: go }, what),
    h("span", { class: "muted small" }, `${event.said}${event.by ? ` by ${event.by}` : ""}`),
    button(`Take back: ${what}`, { name: "undo", text: false, title: "Take back" }, () => withdraw(event.id, what)));
}
