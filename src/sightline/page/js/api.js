// The service, as the page asks it: JSON in and out, errors as they were said, a token asked for once where one is needed.

/** An answer that is no success: `code`, `detail` and `status` as the service said them. */
export class Refused extends Error {
  /**
   * @param {number} status of the answer; 0 where nobody answered
   * @param {{code?: string, detail?: string, errors?: {field: string, detail: string}[]}} problem
   */
  constructor(status, problem) {
    super(problem.detail ?? `The service answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    /** What is wrong, in words: with each field where fields were at fault. */
    this.why = problem.errors?.map(({ detail }) => detail).join(" ") || this.message;
  }
}

/** What is done where a token is needed; the page sets it. @type {{ask: () => Promise<boolean>}} */
export const tokens = { ask: async () => false };

/**
 * Ask the service.
 * @param {string} path from `/api/v1` on, or whole
 * @param {{method?: string, json?: unknown, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>} an answer that is a success or 304
 * @throws {Refused}
 */
export async function ask(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const url = path.startsWith("/api/") || path.startsWith("/page/") ? path : `/api/v1${path}`;
  const sent = { method, headers: { Accept: "application/json", ...headers }, body, signal };
  if (json !== undefined) {
    sent.body = JSON.stringify(json);
    sent.headers["Content-Type"] = "application/json";
  }
  for (;;) {
    const answer = await reach(url, sent);
    if (answer.ok || answer.status === 304) return answer;
    if (answer.status === 401 && (await tokens.ask())) continue;
    throw new Refused(answer.status, await problem(answer));
  }
}

/** @param {string} path @param {Parameters<typeof ask>[1]} [options] @returns {Promise<any>} the JSON of an answer */
export const askJson = async (path, options) => (await ask(path, options)).json();

/** @param {string} url @param {RequestInit} sent */
async function reach(url, sent) {
  try {
    return await fetch(url, sent);
  } catch (error) {
    if (sent.signal?.aborted) throw error;
    throw new Refused(0, { code: "away", detail: "The service does not answer. It may be starting again." });
  }
}

/** @param {Response} answer */
async function problem(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return { detail: `The service answered ${answer.status}.` };
  }
}
