// Files dropped anywhere on the page, or chosen.

import { $, h } from "../ui.js";

/** @param {(files: File[]) => void} take */
export function dropZone(take) {
  const cover = h("div", { class: "cover" }, "Drop to choose");
  let depth = 0;
  const leave = () => {
    depth = 0;
    cover.remove();
    document.body.classList.remove("dropping");
  };
  addEventListener("dragenter", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    if (depth++ === 0) document.body.append(cover);
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) leave();
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    leave();
    take([...(event.dataTransfer?.files ?? [])]);
  });
  $("#files").addEventListener("change", (/** @type {any} */ event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
}
