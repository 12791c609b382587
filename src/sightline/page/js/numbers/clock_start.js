// The time of the first frame on the clock: shown, and set by whoever knows it.

import { askJson, Refused } from "../api.js";
import { announce, button, dialog, h } from "../ui.js";
import { readClock, typed } from "./clock_text.js";

/**
 * A button that says the clock and opens its form.
 * @param {import("../state.js").State} state
 */
export function clockButton(state) {
  const input = h("input", { id: "clock-text", autocomplete: "off", spellcheck: "false", maxlength: 64, placeholder: "2026-11-21 08:00:00 +01:00", "aria-describedby": "clock-wrong" });
  const wrong = h("p", { class: "hint-error", id: "clock-wrong", role: "alert" });
  const form = h("form", {},
    h("label", { for: "clock-text" }, "Time of the first frame, with the offset from UTC of the place"),
    input, wrong,
    h("div", { class: "row" }, h("button", { type: "submit", class: "primary" }, "Save"), button("No clock", { kind: "outlined" }, () => void keep(""))));
  const el = dialog("Clock", h("p", { class: "muted" }, "Tables, the chart and every later export follow. Nothing is counted again."), form);
  form.addEventListener("submit", (/** @type {Event} */ e) => {
    e.preventDefault();
    void keep(input.value);
  });

  const keep = async (/** @type {string} */ text) => {
    const read = readClock(text);
    said(read.wrong);
    if (read.wrong) return;
    try {
      const job = await askJson(`/jobs/${state.values.job.job_id}`, { method: "PATCH", json: { clock_start: read.value } });
      state.set({ job });
      el.close();
      announce(read.value ? `The first frame is at ${typed(read.value)}` : "No clock");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      said(`Not saved. ${error.why}`);
    }
  };
  const said = (/** @type {string} */ text) => {
    wrong.textContent = text;
    input.setAttribute("aria-invalid", text ? "true" : "false");
  };
  const open = button("Set the clock", { class: "outlined", id: "clock-start" }, () => {
    input.value = typed(state.values.job?.clock_start ?? null);
    said("");
    el.showModal();
  });
  const show = () => (open.textContent = state.values.job?.clock_start ? `Begins ${typed(state.values.job.clock_start)}` : "Set the clock");
  state.on(["job"], show);
  show();
  return open;
}
