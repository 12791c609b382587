// When numbers are to be asked for again.

/**
 * Call whenever what numbers depend on has changed, once it rests: a line that is dragged has its own count first, and what
 * is shown meanwhile is marked as busy. Progress of a job is no reason to count.
 * @param {import("../state.js").State} state
 * @param {Element} root of the numbers
 * @param {(shapes: any[]) => any[]} which shapes they depend on
 * @param {() => void} fn
 */
export function follows(state, root, which, fn) {
  let last = "";
  const look = () => {
    const { job, shapes, filter, classes, live } = state.values;
    const now = JSON.stringify([job?.state, job?.clock_start, which(shapes), classes.length, { ...filter, hidden: [...filter.hidden] }]);
    if (now === last) return;
    root.setAttribute("aria-busy", "true");
    if (live) return;
    last = now;
    fn();
  };
  state.on(["shapes", "filter", "classes", "job", "live"], look);
  look();
}
