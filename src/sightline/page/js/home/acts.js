// What somebody does with a job: cancel, retry, delete.

import { Refused, ask, askJson } from "../api.js";
import { announce, button, dialog, h } from "../ui.js";
import { complain } from "./notices.js";

/** @typedef {import("./jobs.js").Job} Job */

/**
 * @param {{merge: (job: Job) => void, gone: (id: string) => void, focus: (id: string) => void}} on
 * @returns {import("./job-row.js").Acts}
 */
export function actsOf({ merge, gone, focus }) {
  /** @param {Job} job @param {string} wish @param {() => Promise<void>} act */
  async function tried(job, wish, act) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 404) gone(job.job_id);
      complain(`${job.name} could not be ${wish}`, error);
    }
  }
  return {
    cancel: (job) => tried(job, "cancelled", async () => {
      const { cancelled } = await askJson(`/jobs/${job.job_id}/cancel`, { method: "POST" });
      merge(await askJson(`/jobs/${job.job_id}`));
      announce(cancelled ? `${job.name} cancelled` : `${job.name} had ended before`);
    }),
    retry: (job) => tried(job, "retried", async () => {
      const child = await askJson(`/jobs/${job.job_id}/retry`, { method: "POST" });
      merge(child);
      focus(child.job_id);
      announce(`${job.name} runs again`);
    }),
    remove: (job) => confirm(job, () => tried(job, "deleted", async () => {
      await ask(`/jobs/${job.job_id}`, { method: "DELETE" });
      gone(job.job_id);
      announce(`${job.name} deleted`);
    })),
  };
}

/** @param {Job} job @param {() => Promise<void>} act */
function confirm(job, act) {
  const keep = button("Keep it", { kind: "outlined", autofocus: true }, () => el.close());
  const go = button("Delete", { kind: "danger" }, () => {
    el.close();
    act();
  });
  const el = dialog(`Delete ${job.name}?`,
    h("p", {}, "Its result, lines, counts and verdicts go, and the video unless another job has the same one. This cannot be undone."),
    h("div", { class: "actions" }, go, keep));
  el.addEventListener("close", () => el.remove());
  el.showModal();
}
