// tus 1.0: a file sent in pieces that are on the service's disk when they are answered, going on where it was cut. Pure: how
// bytes travel and how time passes is given.

/** @typedef {{status: number, header: (name: string) => string | null, text: string}} Answer */
/** @typedef {(method: string, url: string, options: {headers: Record<string, string>, body?: Blob, signal: AbortSignal,
 *   sent?: (bytes: number) => void}) => Promise<Answer>} Transport rejects with a TypeError where nobody answered */
/** @typedef {{size: number, slice: (from: number, to: number) => Blob}} Bytes */

export const UPLOADS = "/api/v1/uploads";
export const PART = 8 * 2 ** 20;
const LEAST_MS = 1000;
const MOST_MS = 30_000;
const AGAIN = new Set([0, 408, 423, 425, 429, 460, 500, 502, 503, 504, 507]);
const AGAIN_CODES = new Set(["in_progress", "offset"]);

/** An upload that was refused for good, or a try of it that failed. */
export class Failed extends Error {
  /** @param {number} status 0: nobody answered @param {string} code @param {string} detail @param {number | null} [after] ms to wait */
  constructor(status, code, detail, after = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.after = after;
  }

  /** Whether another try may do. */
  get passing() {
    return AGAIN.has(this.status) || AGAIN_CODES.has(this.code);
  }
}

/**
 * Keys with base64 of their UTF-8; empty values are left out.
 * @param {Record<string, string>} values
 */
export function metadata(values) {
  const coded = (/** @type {string} */ text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(values).filter(([, value]) => value).map(([key, value]) => `${key} ${coded(value)}`).join(",");
}

/**
 * Milliseconds until the next try: twice as long each time, at most half a minute, not all at the same moment.
 * @param {number} tries that failed one after the other, from 1 @param {number} chance 0..1
 */
export function pause(tries, chance) {
  return Math.min(MOST_MS, LEAST_MS * 2 ** (tries - 1)) * (0.75 + chance / 4);
}

/** Sends one file until it is a job. */
export class Tus {
  /** Bytes that are on the service's disk. */
  offset = 0;
  #tries = 0;

  /**
   * @param {{file: Bytes, about: Record<string, string>, transport: Transport, wait: (ms: number, signal: AbortSignal) => Promise<void>,
   *   url?: string, part?: number, on?: Partial<Listeners>}} options
   * @typedef {{created: (url: string) => void, sent: (bytes: number) => void, kept: (offset: number) => void,
   *   failed: (error: Failed, ms: number) => void, lost: () => void}} Listeners
   */
  constructor({ file, about, transport, wait, url = "", part = PART, on = {} }) {
    this.file = file;
    this.about = about;
    this.transport = transport;
    this.wait = wait;
    this.url = url;
    this.part = part;
    this.on = on;
  }

  /**
   * Send what is missing; tries again for as long as that may help.
   * @param {AbortSignal} signal
   * @returns {Promise<string>} id of the job
   * @throws {Failed} it was refused
   */
  async run(signal) {
    let known = false; // whether `offset` is what the service has
    for (;;) {
      try {
        const job = known ? await this.#send(signal) : await this.#locate(signal);
        known = true;
        if (job) return job;
      } catch (error) {
        if (signal.aborted || !(error instanceof Failed)) throw error;
        if (error.status === 404 && this.url) this.#forget();
        else if (!error.passing) throw error;
        known = false;
        await this.#pause(error, signal);
      }
    }
  }

  /** Find out where it goes on, or begin it. @param {AbortSignal} signal @returns {Promise<string>} the job it is already, or "" */
  async #locate(signal) {
    if (!this.url) {
      const about = metadata(this.about);
      const headers = { "Upload-Length": String(this.file.size), ...(about ? { "Upload-Metadata": about } : {}) };
      const answer = await this.#ask("POST", UPLOADS, { headers, signal });
      this.url = answer.header("Location") ?? "";
      this.offset = 0;
      this.on.created?.(this.url);
      return "";
    }
    const answer = await this.#ask("HEAD", this.url, { headers: {}, signal });
    this.offset = Number(answer.header("Upload-Offset"));
    this.on.kept?.(this.offset);
    return jobOf(answer);
  }

  /** Send the next piece. @param {AbortSignal} signal @returns {Promise<string>} the job, after the last one */
  async #send(signal) {
    const from = this.offset;
    const body = this.file.slice(from, Math.min(from + this.part, this.file.size));
    const headers = { "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" };
    const sent = (/** @type {number} */ bytes) => this.on.sent?.(from + bytes);
    await this.#readable(body);
    const answer = await this.#ask("PATCH", this.url, { headers, body, signal, sent });
    this.#tries = 0;
    this.offset = Number(answer.header("Upload-Offset"));
    this.on.kept?.(this.offset);
    return jobOf(answer);
  }

  /** A file that was changed since it was chosen cannot be read, which nobody could tell from a connection that broke. @param {Blob} body */
  async #readable(body) {
    try {
      await body.slice(0, 1).arrayBuffer();
    } catch {
      throw new Failed(-1, "changed_file", "The file cannot be read any more.");
    }
  }

  #forget() {
    this.url = "";
    this.offset = 0;
    this.on.lost?.();
  }

  /** @param {Failed} error @param {AbortSignal} signal */
  async #pause(error, signal) {
    this.#tries += 1;
    const ms = error.after ?? (error.status === 404 && this.#tries === 1 ? 0 : pause(this.#tries, Math.random()));
    this.on.failed?.(error, ms);
    await this.wait(ms, signal);
  }

  /** @param {string} method @param {string} url @param {Parameters<Transport>[2]} options */
  async #ask(method, url, options) {
    const headers = { "Tus-Resumable": "1.0.0", ...options.headers };
    let answer;
    try {
      answer = await this.transport(method, url, { ...options, headers });
    } catch (error) {
      if (options.signal.aborted || !(error instanceof TypeError)) throw error;
      throw new Failed(0, "away", "The service does not answer.");
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw failure(answer);
  }
}

/** @param {Answer} answer */
function jobOf(answer) {
  return /^\/api\/v1\/jobs\/([0-9a-f-]+)$/.exec(answer.header("Location") ?? "")?.[1] ?? "";
}

/** @type {Record<number, string>} */
const CODES = {
  401: "unauthorized", 403: "forbidden", 409: "in_progress", 413: "too_large", 415: "media_type", 422: "invalid_video", 429: "busy", 507: "disk_full",
};

/** What a refusal says; the answer to HEAD has no body, and says it by its status alone. @param {Answer} answer */
export function failure(answer) {
  const seconds = Number(answer.header("Retry-After"));
  const after = answer.header("Retry-After") && seconds >= 0 ? seconds * 1000 : null;
  /** @type {{code?: string, detail?: string}} */
  let said = {};
  try {
    said = JSON.parse(answer.text);
  } catch {
    said = {}; // no JSON: a proxy in between answered, or it was HEAD
  }
  const code = said.code ?? CODES[answer.status] ?? "";
  return new Failed(answer.status, code, said.detail ?? `The service answered ${answer.status}.`, after);
}
