// Which jobs may be of the same camera. Pure.

/**
 * Other jobs, those with a picture of the same size first, otherwise in their order.
 * @template {{job_id: string, source: {width?: number | null, height?: number | null} | null}} J
 * @param {J[]} jobs
 * @param {J} job whose lines are wanted
 * @returns {J[]}
 */
export function sameFirst(jobs, job) {
  const others = jobs.filter((other) => other.job_id !== job.job_id);
  const same = (/** @type {J} */ other) => Boolean(other.source?.width) && other.source?.width === job.source?.width && other.source?.height === job.source?.height;
  return [...others.filter(same), ...others.filter((other) => !same(other))];
}
