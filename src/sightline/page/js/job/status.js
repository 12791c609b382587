// Where the job stands, as notices: waiting, processing, failed, cancelled, warnings; and what can be done about it.

import { askJson, Refused } from "../api.js";
import { announce, button, h } from "../ui.js";
import { int } from "../words.js";
import { say } from "./notices.js";

/** What to do about a failure, by its code; all codes are in the troubleshooting page. @type {Record<string, string>} */
const REMEDIES = {
  no_frame: "Not one frame can be decoded. Copy the file again, or convert it to H.264 in MP4, and upload that.",
  unreadable: "Copy the file again, or convert it to H.264 in MP4, and upload that.",
  encrypted: "Decrypt it with its key, and upload that.",
  limit: "Scale it down or cut it, and upload that.",
  too_large: "Scale it down or cut it, and upload that.",
  crashed: "The file is damaged, or made to do harm. Convert it where you trust it, and upload that.",
  source_gone: "The file was removed meanwhile. Upload it again.",
  source_changed: "The file was replaced meanwhile. Run it again once it stays as it is.",
  upgraded: "The service has another model, engine or tracker now. Open the newer run.",
  disk_full: "Make room on the server, then run it again.",
  memory: "The server has too little memory free. Close other programs there, then run it again.",
  unavailable: "Something that the service needs does not answer. Wait, then run it again.",
  stalled: "Run it again, and report it with the details.",
  bug: "This is an error of Sightline's own. Report it with the details, and run it again.",
};

/** @param {import("../state.js").State} state */
export function mountStatus(state) {
  let before = "";

  const act = async (/** @type {() => Promise<void>} */ what, /** @type {string} */ title) => {
    try {
      await what();
      say("act", "", "", "");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      say("act", "error", title, error.message);
    }
  };
  const path = () => `/jobs/${state.values.job.job_id}`;
  const cancel = button("Cancel", { kind: "outlined", name: "stop" }, () =>
    act(async () => {
      const { cancelled } = await askJson(`${path()}/cancel`, { method: "POST" });
      announce(cancelled ? "Cancelled" : "It had ended before");
    }, "The job could not be cancelled"));
  const retry = () => button("Run it again", { kind: "outlined", name: "retry" }, () =>
    act(async () => {
      const child = await askJson(`${path()}/retry`, { method: "POST" });
      location.assign(`/jobs/${child.job_id}`);
    }, "The job could not be run again"));
  const child = (/** @type {string} */ id) => h("a", { class: "button outlined", href: `/jobs/${id}` }, "Open the newer run");
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Frames that have boxes" });
  const far = h("span");

  const draw = () => {
    const { job, ahead } = state.values;
    if (job.state === before) {
      if (job.state === "processing") tellFar(job, ahead);
      return;
    }
    if (before) announce(`The job is ${job.state}`);
    before = job.state;
    const again = job.child_id ? [child(job.child_id)] : [retry()];
    if (["new", "sent"].includes(job.state)) say("job", "info", "The job waits for its turn", "Nothing has to be done; this page follows it.", { actions: [cancel] });
    else if (job.state === "failed") {
      say("job", "error", job.reason || "The job failed", `${REMEDIES[job.code] ?? "Run it again; if it fails again, report it with the details."} What was found up to there is shown.`, { actions: again, more: [details(job)] });
    } else if (job.state === "cancelled") say("job", "info", "The job was cancelled", "What was found up to there is shown.", { actions: again });
    else if (job.state === "ready") {
      say("job", "", "", "");
      warn(job.warnings);
    } else {
      say("job", "info", "Counting", "", { more: [h("p", { class: "muted" }, far), bar], actions: [cancel] });
      tellFar(job, ahead);
    }
  };
  const tellFar = (/** @type {any} */ job, /** @type {number} */ ahead) => {
    bar.max = Math.max(1, job.sampled);
    bar.value = ahead;
    far.textContent = job.sampled ? `${int(ahead)} of ${int(job.sampled)} frames have boxes. Lines drawn now stay; counts come when the job is ready.` : "The video is being read.";
  };
  state.on(["job", "ahead"], draw);
  draw();
}

/** What a report of the failure needs. @param {any} job */
function details({ code, progress, job_id }) {
  const stages = Object.entries(progress).map(([name, { done, total }]) => `${name} ${done}/${total}`);
  return h("details", {}, h("summary", {}, "Details for a report"), h("p", { class: "mono small" }, [code && `code ${code}`, ...stages, `job ${job_id}`].filter(Boolean).join(", ")));
}

/** Warnings change no number: one line, explained on demand. @param {{code: string, detail: string}[]} warnings */
function warn(warnings) {
  if (!warnings.length) return;
  const title = warnings.length === 1 ? "One thing to know of this video" : `${warnings.length} things to know of this video`;
  say("warnings", "warn", title, "", { more: [h("ul", { class: "muted" }, warnings.map(({ code, detail }) => h("li", {}, detail, " ", h("span", { class: "mono small" }, `(${code})`))))] });
}
