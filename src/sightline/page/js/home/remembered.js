// Uploads that were begun here, so that they go on after a reload when the same file is chosen again. Pure but for its storage.

/** @typedef {{url: string, name: string, size: number, options: any, at: number}} Note an upload; `at`: milliseconds of its last news */

const KEPT_MS = 24 * 3600 * 1000; // the service forgets them as well
const MIB = 2 ** 20;

/**
 * What a file is known by: name, size, time of its last change, and its first and last MiB.
 * @param {File} file
 */
export async function printOf(file) {
  const ends = await Promise.all([file.slice(0, MIB), file.slice(-MIB)].map((part) => part.arrayBuffer()));
  return [file.name, file.size, file.lastModified, ...ends.map((end) => hash(new Uint8Array(end)))].join("|");
}

/** FNV-1a in two lanes of 32 bits. A browser's own hashes are there for HTTPS alone. @param {Uint8Array} bytes */
export function hash(bytes) {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 15);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Notes by what their file is known by. */
export class Remembered {
  /**
   * @param {{read: () => Record<string, Note>, write: (notes: Record<string, Note>) => void}} storage
   * @param {() => number} now
   */
  constructor(storage, now = Date.now) {
    this.storage = storage;
    this.now = now;
  }

  /** @returns {[string, Note][]} those that the service may still have */
  all() {
    return Object.entries(this.storage.read()).filter(([, note]) => this.now() - note.at < KEPT_MS);
  }

  /** @param {string} print */
  get(print) {
    return this.all().find(([key]) => key === print)?.[1] ?? null;
  }

  /** @param {string} print @param {Omit<Note, "at">} note */
  keep(print, { url, name, size, options }) {
    this.storage.write({ ...Object.fromEntries(this.all()), [print]: { url, name, size, options, at: this.now() } });
  }

  /** @param {string} print */
  forget(print) {
    this.storage.write(Object.fromEntries(this.all().filter(([key]) => key !== print)));
  }
}
