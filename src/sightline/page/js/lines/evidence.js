// Evidence: every count a row. Only the rows in sight are there, so that twenty thousand cost no more than twenty.

import { $, announce, h } from "../ui.js";
import { clock, int } from "../words.js";
import { lastUntil, shapeKind } from "./counts.js";
import { keyOf } from "./geometry.js";
import { heading, markOf } from "./heading.js";
import { rowOf, rowsInSight, scrolledTo } from "./windowed.js";

/** @typedef {import("./counts.js").Event} Event @typedef {import("./geometry.js").Shape} Shape */

/** Go to an event: the frame, the track, the place. @param {import("../state.js").State} state @param {any} player @param {Event} event */
export function openEvent(state, player, event) {
  player.pause();
  state.set({ event, track: { group: event.group, track_id: event.track_id } });
  player.seekUs(event.pts_us);
  player.ring(event.x, event.y);
  announce(`${event.label} ${event.track_id}, ${event.name}, ${wayOf(event)}, at ${clock(event.pts_us / 1e6, 2)}`);
}

/** @param {Event} event */
const wayOf = (event) => ({ zone_enter: "enters", zone_exit: "leaves" })[event.kind] ?? event.direction;

export class Evidence {
  /** @type {Event[]} those that pass the two choices, by time */
  #events = [];
  /** @type {Map<number, HTMLElement>} rows that are there */
  #rows = new Map();
  #active = -1;
  #current = -1;
  // As the browser last said: to ask it while rows change would have it lay the page out at once.
  #top = 0;
  #room = 0;

  /** @param {import("./shape_row.js").Parts} parts */
  constructor({ state, player }) {
    this.state = state;
    this.player = player;
    this.total = h("span", { class: "muted" });
    this.which = h("select", { "aria-label": "Line or zone" });
    this.way = h("select", { "aria-label": "Direction" });
    this.sizer = h("div", { class: "sizer", role: "presentation" });
    this.list = h("div", { class: "events", role: "listbox", tabindex: 0, "aria-label": "Counted events" }, this.sizer);
    this.none = h("p", { class: "none muted" });
    $("#evidence").append(h("div", { class: "panel-head" }, h("h2", { id: "evidence-title" }, "Evidence"), this.total, h("div", { class: "end" }, this.which, this.way)), this.list, this.none);
    this.height = Number.parseFloat(getComputedStyle(this.list).getPropertyValue("--row"));
    this.which.addEventListener("change", () => this.#choose());
    this.way.addEventListener("change", () => this.#choose());
    this.list.addEventListener("scroll", () => {
      this.#top = this.list.scrollTop;
      this.#draw();
    });
    this.list.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => this.#key(e));
    this.list.addEventListener("click", (/** @type {MouseEvent} */ e) => this.#click(e));
    new ResizeObserver(([{ contentRect }]) => {
      [this.#top, this.#room] = [this.list.scrollTop, contentRect.height];
      this.#draw();
    }).observe(this.list);
    state.on(["counts", "shapes", "loaded"], () => state.values.live || this.#choices()); // what moves has no evidence yet
    state.on(["event"], () => this.#follow());
    state.on(["row", "frames"], () => this.#mark());
    this.#choices();
  }

  /** What there is to choose from: lines and zones that are drawn, and the directions of the chosen one. */
  #choices() {
    const { shapes } = this.state.values;
    const options = (/** @type {HTMLSelectElement} */ el, /** @type {[string, string][]} */ each) => {
      const before = el.value;
      const text = JSON.stringify(each);
      if (el.dataset.options === text) return;
      el.dataset.options = text;
      el.replaceChildren(...each.map(([value, word]) => h("option", { value }, word)));
      el.value = each.some(([value]) => value === before) ? before : "";
    };
    options(this.which, [["", "Everything"], ...shapes.map((/** @type {Shape} */ s) => /** @type {[string, string]} */ ([keyOf(s), s.name]))]);
    const shape = shapes.find((/** @type {Shape} */ s) => keyOf(s) === this.which.value);
    const words = shape?.kind === "zone" ? ["Enters", "Leaves"] : shape ? [shape.in, shape.out] : ["In", "Out"];
    options(this.way, [["", "Both ways"], ["in", words[0]], ["out", words[1]]]);
    this.#choose();
  }

  #choose() {
    const { counts, shapes, tallies } = this.state.values;
    if (this.which.value !== this.way.dataset.of) {
      this.way.dataset.of = this.which.value;
      return this.#choices();
    }
    const key = (/** @type {Event} */ e) => keyOf({ kind: shapeKind(e.kind), name: e.name });
    const inwards = new Map(shapes.map((/** @type {Shape} */ s) => [keyOf(s), s.kind === "line" ? s.in : ""]));
    const isIn = (/** @type {Event} */ e) => (e.kind === "line" ? e.direction === inwards.get(key(e)) : e.kind === "zone_enter");
    const fits = (/** @type {Event} */ e) => tallies.has(key(e)) && (!this.which.value || key(e) === this.which.value) && (!this.way.value || (this.way.value === "in") === isIn(e));
    this.#events = (counts?.evidence ?? []).filter(fits);
    this.total.textContent = counts ? int(this.#events.length) : "";
    this.list.hidden = !this.#events.length;
    this.none.hidden = Boolean(this.#events.length);
    this.none.textContent = counts && shapes.length ? "No crossing passes the filter." : shapes.length ? "Evidence comes with the counts." : "Draw a line to get evidence.";
    this.sizer.style.height = `${this.#events.length * this.height}px`;
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#active = this.#events.findIndex((e) => e.id === this.state.values.event?.id);
    this.#current = -1;
    this.#mark();
    this.#draw();
  }

  /** The event that was chosen elsewhere is the active one here. */
  #follow() {
    const id = this.state.values.event?.id;
    if (this.#events[this.#active]?.id === id) return;
    this.#active = this.#events.findIndex((e) => e.id === id);
    if (this.#active >= 0) this.#reveal(this.#active);
    this.#draw();
  }

  /** The last event before the moment that is shown. */
  #mark() {
    const { frames, row } = this.state.values;
    const current = frames ? lastUntil(this.#events, frames.pts[row]) : -1;
    if (current === this.#current) return;
    this.#current = current;
    if (current >= 0 && !this.list.matches(":hover, :focus-within")) this.#reveal(current);
    this.#draw();
  }

  /** @param {number} row */
  #reveal(row) {
    const top = scrolledTo(row, this.height, this.#top, this.#room);
    if (top !== this.#top) this.list.scrollTop = this.#top = top;
  }

  #draw() {
    const wanted = new Set(rowsInSight(this.#events.length, this.height, this.#top, this.#room, this.#active));
    for (const [row, el] of this.#rows) {
      if (wanted.has(row)) continue;
      el.remove();
      this.#rows.delete(row);
    }
    for (const row of wanted) if (!this.#rows.has(row)) this.#rows.set(row, this.#row(row));
    for (const [row, el] of this.#rows) {
      el.setAttribute("aria-selected", String(row === this.#active));
      if (row === this.#current) el.setAttribute("aria-current", "true");
      else el.removeAttribute("aria-current");
    }
    if (this.#active >= 0) this.list.setAttribute("aria-activedescendant", `event-${this.#active}`);
    else this.list.removeAttribute("aria-activedescendant");
  }

  /** @param {number} row @returns {HTMLElement} put among the others in its order, as screen readers go through them */
  #row(row) {
    const event = this.#events[row];
    const { classes, shapes } = this.state.values;
    const shape = shapes.find((/** @type {Shape} */ s) => keyOf(s) === keyOf({ kind: shapeKind(event.kind), name: event.name }));
    const isIn = event.kind === "line" ? event.direction === shape?.in : event.kind === "zone_enter";
    const el = h("div", { class: "event", role: "option", id: `event-${row}`, "aria-posinset": row + 1, "aria-setsize": this.#events.length, "data-row": row, title: `Frame ${event.frame}` },
      h("span", { class: "mono" }, clock(event.pts_us / 1e6, 2)), h("span", { class: "cell" }, markOf(classes, event.label), `${event.label} ${event.track_id}`),
      h("span", { class: "where" }, event.name), h("span", { class: "way" }, shape ? heading(shape, isIn, this.player.size) : null, h("span", {}, wayOf(event))));
    el.style.top = `${row * this.height}px`;
    const next = [...this.sizer.children].find((other) => Number(/** @type {HTMLElement} */ (other).dataset.row) > row);
    this.sizer.insertBefore(el, next ?? null);
    return el;
  }

  /** @param {number} row */
  #open(row) {
    this.#active = row;
    this.#reveal(row);
    this.#draw();
    openEvent(this.state, this.player, this.#events[row]);
  }

  /** @param {MouseEvent} e */
  #click(e) {
    const row = /** @type {HTMLElement} */ (e.target).closest(".event");
    if (row) this.#open(Number(/** @type {HTMLElement} */ (row).dataset.row));
  }

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const page = Math.max(1, Math.floor(this.#room / this.height) - 1);
    const from = this.#active >= 0 ? this.#active : this.#current;
    const row = e.key === "Enter" || e.key === " " ? from : rowOf(e.key, from, this.#events.length, page);
    if (row === null || row < 0) return;
    e.preventDefault();
    e.stopPropagation();
    this.#open(row);
  }
}
