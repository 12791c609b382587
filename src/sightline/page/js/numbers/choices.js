// Choices that follow what there is: a list is built anew only where it has changed, so that an open one stays open.

import { h } from "../ui.js";

/**
 * @param {HTMLSelectElement} select the chosen value stays where it is still offered, else the first is
 * @param {[string, string][]} options value and words
 */
export function offer(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.offered === key) return;
  select.dataset.offered = key;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, words]) => h("option", { value }, words)));
  select.value = options.some(([value]) => value === chosen) ? chosen : options[0]?.[0] ?? "";
}

/** Text that changes with every frame is written only where it differs. @param {Element} el @param {string} text */
export function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

/** @param {string} label @param {[string, string][]} options @param {string} chosen @returns {HTMLSelectElement} */
export function select(label, options, chosen) {
  const el = h("select", { "aria-label": label });
  offer(el, options);
  el.value = chosen;
  return el;
}
