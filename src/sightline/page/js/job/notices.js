// Notices above the picture: one a subject, replaced when there is news of it, gone when it is over.

import { $, h, icon } from "../ui.js";

/** @type {Map<string, any>} */
const said = new Map();

/**
 * Say something of a subject; without a kind nothing is left to be said.
 * @param {string} subject
 * @param {string} kind info, warn, error, or empty
 * @param {string} title
 * @param {string} text
 * @param {{more?: any[], actions?: any[]}} [parts]
 */
export function say(subject, kind, title, text, { more = [], actions = [] } = {}) {
  const old = said.get(subject);
  if (!kind) {
    old?.remove();
    said.delete(subject);
    return;
  }
  const made = h("div", { class: `notice ${kind}`, role: kind === "error" ? "alert" : null, "data-subject": subject },
    icon(kind),
    h("div", { class: "body" }, h("p", {}, h("strong", {}, title, ". "), h("span", { class: "muted" }, text)), more),
    actions.length ? h("div", { class: "actions" }, actions) : null);
  if (old) old.replaceWith(made);
  else $("#notices").append(made);
  said.set(subject, made);
}
