// The page's state: plain values, and listeners that say which of them they care about.

/** Values by name; a view describes its own with a typedef. */
export class State {
  /** @type {[string[], () => void][]} */
  #listeners = [];

  /** @param {Record<string, any>} values */
  constructor(values) {
    /** @type {Record<string, any>} */
    this.values = values;
  }

  /** @param {string[]} keys @param {() => void} listener called after any of them has changed */
  on(keys, listener) {
    this.#listeners.push([keys, listener]);
  }

  /** @param {Record<string, any>} values those that change */
  set(values) {
    const changed = Object.keys(values).filter((key) => this.values[key] !== values[key]);
    Object.assign(this.values, values);
    if (!changed.length) return;
    for (const [keys, listener] of this.#listeners) if (keys.some((key) => changed.includes(key))) listener();
  }
}
