// What stands in the picture's place while there is none.

import { $, h, icon } from "../ui.js";

/** @param {import("../state.js").State} state */
export function mountVeil(state) {
  const veil = $("#veil");
  let said = "";
  const draw = () => {
    const { job, frames, shown } = state.values;
    const words = shown ? "" : saidOf(job, frames);
    veil.hidden = !words;
    $("#main").setAttribute("aria-busy", String(!job));
    if (words === said) return;
    said = words;
    veil.replaceChildren(icon(words.endsWith(".") ? "info" : "work", words.endsWith(".") ? "icon" : "icon turning"), h("p", {}, words));
  };
  state.on(["job", "frames", "shown"], draw);
  draw();
}

/** @param {any} job @param {any} frames */
function saidOf(job, frames) {
  if (!job) return "Looking at the job";
  if (frames) return "Reading the video";
  if (["new", "sent"].includes(job.state)) return "The picture appears when it is the job's turn.";
  if (["failed", "cancelled"].includes(job.state)) return "The job ended before its video was read: there is no picture.";
  return "Finding the frames of the video";
}
