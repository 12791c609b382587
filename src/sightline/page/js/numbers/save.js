// A text or an answer of the service as a file of whoever looks at the page.

import { h } from "../ui.js";

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {string} text @param {string} name */
export const saveCsv = (text, name) => save(new Blob([text], { type: "text/csv;charset=utf-8" }), name);

/**
 * The name of a job as that of a file.
 * @param {string} name
 */
export const fileName = (name) => name.replace(/\.[A-Za-z0-9]{2,4}$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-") || "job";
