// Single keys of the audit, which mean something else while it is closed: they are taken before anybody else hears them.

import { stored } from "../ui.js";

const TYPED = "input, select, textarea, [contenteditable], dialog[open] *";

/** @param {() => boolean} open @param {Record<string, () => void>} keys */
export function auditKeys(open, keys) {
  document.addEventListener("keydown", (e) => {
    const target = /** @type {Element} */ (e.target);
    if (!open() || !stored("keys", true) || e.ctrlKey || e.metaKey || e.altKey || target.matches?.(TYPED)) return;
    const act = keys[e.key.toLowerCase()];
    if (!act) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    act();
  }, { capture: true });
}
