// What is said above the list: that the service is away, that a file was not taken, that something did not work.

import { $, button, h, icon } from "../ui.js";
import { explain } from "./words.js";

/**
 * Say something, in the place of what was said under the same id before.
 * @param {string} id @param {"warn" | "error" | "info"} kind @param {string} title @param {any[]} text @param {...any} actions without one: it can be closed
 */
export function notice(id, kind, title, text, ...actions) {
  const close = button("Dismiss", {}, () => unsay(id));
  const el = h("div", { class: `notice ${kind}`, role: "alert", id: `notice-${id}` },
    icon(kind === "info" ? "info" : kind === "error" ? "error" : "warn"),
    h("div", { class: "body" }, h("h3", {}, title), h("p", { class: "muted" }, text)),
    h("div", { class: "actions" }, actions.length ? actions : close));
  const before = document.getElementById(el.id);
  if (before) before.replaceWith(el);
  else $("#message").append(el);
}

/** @param {string} id */
export function unsay(id) {
  document.getElementById(`notice-${id}`)?.remove();
}

/** Say that something that was asked for did not work. @param {string} title @param {import("../api.js").Refused} error */
export function complain(title, error) {
  const { what, todo } = explain(error.code, error.message);
  notice("act", "error", title, [`${what} ${todo}`.trim()]);
}
