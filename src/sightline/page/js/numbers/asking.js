// Questions that follow what changes on the page: the last one counts, and a failure is said where its answer would be.

import { Refused } from "../api.js";
import { button, h } from "../ui.js";

/**
 * A question that is asked again whenever something changed; an answer to an older one is forgotten.
 * @template Answer
 * @param {{ask: (signal: AbortSignal) => Promise<Answer>, done: (answer: Answer) => void, failed: (error: Refused) => void, wait?: number}} what
 *   `wait`: milliseconds in which changes are taken together
 * @returns {() => void}
 */
export function asking({ ask, done, failed, wait = 150 }) {
  let last = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = async () => {
    const { signal } = (last = new AbortController());
    try {
      const answer = await ask(signal);
      if (!signal.aborted) done(answer);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refused)) throw error;
      failed(error);
    }
  };
  return () => {
    last.abort();
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
}

/**
 * Where a panel says that it could not have what it shows.
 * @param {() => void} again
 */
export function trouble(again) {
  const text = h("span");
  const el = h("p", { class: "trouble", role: "alert", hidden: true }, text, button("Try again", { kind: "outlined" }, again));
  return {
    el,
    /** @param {string} said empty: all is well */
    say(said) {
      el.hidden = !said;
      text.textContent = said;
    },
  };
}

/**
 * Call once, when an element is first seen: what is far down the page is not asked for before.
 * @param {Element} el
 * @param {() => void} fn
 */
export function whenSeen(el, fn) {
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    fn();
  }, { rootMargin: "400px" });
  watch.observe(el);
}
