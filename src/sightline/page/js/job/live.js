// What happens to a job while the page is open: server-sent events, and a new look at the job when it moves on.

import { say } from "./notices.js";

/**
 * @param {string} job_id
 * @param {{refresh: () => Promise<void>, progressed: (progress: any) => void}} heard
 */
export function watch(job_id, { refresh, progressed }) {
  const events = new EventSource(`/api/v1/jobs/${job_id}/events`);
  let begun = false;
  const look = () => refresh().then(() => say("away", "", "", ""), (error) => say("away", "warn", "The job could not be looked at", `${error.message} It is tried again.`));
  events.addEventListener("state", look);
  events.addEventListener("progress", (event) => {
    const progress = JSON.parse(event.data);
    if (begun) progressed(progress);
    else look();
    begun = true;
  });
  events.addEventListener("done", () => events.close());
  events.addEventListener("open", () => say("link", "", "", ""));
  events.addEventListener("error", () => {
    // 204 closes it for good: everything was heard.
    if (events.readyState === EventSource.CONNECTING) say("link", "warn", "The service does not answer", "What is shown is what it said last; it is asked again every two seconds.");
  });
}
