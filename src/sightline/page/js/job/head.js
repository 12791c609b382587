// The title row: name, state, what the source is. Where there is no job, that alone is said.

import { $, button, h, icon } from "../ui.js";
import { clock, codecWord } from "../words.js";

/** @type {Record<string, [string, string, string]>} class, icon, word */
const STATES = {
  new: ["queued", "wait", "Waiting"],
  sent: ["queued", "wait", "Waiting"],
  processing: ["processing", "work", "Processing"],
  predictable: ["processing", "work", "Processing"],
  ready: ["ready", "ok", "Ready"],
  failed: ["failed", "error", "Failed"],
  cancelled: ["cancelled", "stop", "Cancelled"],
};

/** @param {any} job */
function factsOf({ source }) {
  if (!source) return "";
  const { codec, width, height, duration_us } = source;
  return [codecWord(codec), width && `${width}×${height}`, duration_us && clock(duration_us / 1e6)].filter(Boolean).join(", ");
}

export const head = {
  /** @param {import("../state.js").State} state */
  mount(state) {
    const draw = () => {
      const { job, ahead } = state.values;
      const [kind, symbol, word] = STATES[job.state];
      $("#name").textContent = job.name;
      if ($("#state").textContent !== word) {
        $("#state").className = `state ${kind}`;
        $("#state").replaceChildren(icon(symbol, kind === "processing" ? "icon turning" : "icon"), word);
      }
      $("#facts").textContent = factsOf(job);
      const far = kind === "processing" && job.sampled ? `${Math.floor((100 * ahead) / job.sampled)} % ` : "";
      document.title = `${far}${job.name} · Sightline`;
    };
    state.on(["job", "ahead"], draw);
    draw();
  },
};

/** There is no such job, or nobody says so. @param {import("../api.js").Refused} error */
export function missing({ status, code, message }) {
  const gone = status === 404;
  const title = gone ? "There is no such job" : "The job could not be looked at";
  const text = gone ? "It may have been removed, or the address is not whole." : message;
  document.title = `${title} · Sightline`;
  const act = gone
    ? h("a", { class: "button primary", href: "/" }, "All jobs")
    : button("Try again", { kind: "primary", name: "retry" }, () => location.reload());
  const skip = $(".skip");
  skip.href = "#main";
  skip.textContent = "Skip to the message";
  $("#main").removeAttribute("aria-busy");
  $("#main").replaceChildren(h("div", { class: "missing" }, h("h1", {}, title), h("p", { class: "muted" }, text), code && !gone ? h("p", { class: "mono small muted" }, `code ${code}`) : null, act));
}
