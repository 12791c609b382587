// The list: rows by key, put in order with as few moves as can be, so that focus and scroll stay where they are.

/** @typedef {import("./row.js").Row} Row */

export class List {
  /** @type {Map<string, Row>} */
  rows = new Map();

  /** @param {HTMLElement} el @param {HTMLElement} fallback has the focus where a row that had it goes and none is left */
  constructor(el, fallback) {
    this.el = el;
    this.fallback = fallback;
  }

  /**
   * Show these rows.
   * @param {{key: string, make: () => Row, update: (row: any) => void}[]} wanted in their order
   * @param {Map<string, string>} [successors] what a row turned into, by key
   */
  show(wanted, successors = new Map()) {
    const keys = new Set(wanted.map(({ key }) => key));
    const lost = this.#leave(keys);
    let next = this.el.firstElementChild;
    for (const { key, make, update } of wanted) {
      let row = this.rows.get(key);
      if (!row) this.rows.set(key, (row = make()));
      update(row);
      if (row.el === next) next = row.el.nextElementSibling;
      else this.el.insertBefore(row.el, next);
    }
    if (lost) this.#focus(successors.get(lost.key), lost.neighbour);
  }

  /** Take out what is no longer wanted. @param {Set<string>} keys @returns {{key: string, neighbour: string} | null} the row that had the focus */
  #leave(keys) {
    const there = /** @type {HTMLElement[]} */ ([...this.el.children]);
    const kept = (/** @type {HTMLElement} */ el) => keys.has(el.dataset.key ?? "");
    /** @type {{key: string, neighbour: string} | null} */
    let lost = null;
    for (const [i, el] of there.entries()) {
      if (kept(el)) continue;
      if (el.contains(document.activeElement)) {
        const neighbour = [...there.slice(i + 1), ...there.slice(0, i).reverse()].find(kept);
        lost = { key: el.dataset.key ?? "", neighbour: neighbour?.dataset.key ?? "" };
      }
      this.rows.delete(el.dataset.key ?? "");
      el.remove();
    }
    return lost;
  }

  /** @param {string | undefined} successor @param {string} neighbour */
  #focus(successor, neighbour) {
    const row = this.rows.get(successor ?? "") ?? this.rows.get(neighbour);
    if (row) row.focus();
    else this.fallback.focus();
  }
}
