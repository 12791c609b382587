// How the bytes of an upload travel: XMLHttpRequest, which alone says how many have gone out.

import { tokens } from "../api.js";

/** @type {import("./tus.js").Transport} */
export async function transport(method, url, options) {
  for (;;) {
    const answer = await once(method, url, options);
    if (answer.status !== 401 || !(await tokens.ask())) return answer;
  }
}

/** @type {import("./tus.js").Transport} */
function once(method, url, { headers, body, signal, sent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries({ Accept: "application/json", ...headers })) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => sent?.(event.loaded);
    request.onload = () =>
      resolve({ status: request.status, header: (name) => request.getResponseHeader(name), text: request.responseText });
    request.onerror = () => reject(new TypeError("nobody answered"));
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    if (signal.aborted) return reject(new DOMException("given up", "AbortError"));
    signal.addEventListener("abort", stop);
    request.send(body ?? null);
  });
}

/**
 * Wait; shorter where the network comes back meanwhile.
 * @param {number} ms @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(new DOMException("given up", "AbortError"));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
