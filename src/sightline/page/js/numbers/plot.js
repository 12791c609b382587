// uPlot as the page uses it: steps over time, a line where the video is, a click that seeks; colours of the tokens.

import uPlot from "../../vendor/uPlot.esm.js";
import { h } from "../ui.js";

const HEIGHT = 190;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
const DASHES = [[], [6, 4], [2, 3]];
const INKS = ["accent", "text", "muted"];

/**
 * @typedef {object} Drawn
 * @property {{title: string, values: number[], ink?: string, dash?: number[]}[]} series
 * @property {number[]} begins seconds of each bin's begin, and the end of the last one
 * @property {[number, number]} span seconds that the axis shows
 * @property {(seconds: number) => string} words of a moment
 */

/** The look of the nth series where none has its own: hue and dash, so that nine differ. @param {number} i */
export const lookOf = (i) => ({ ink: INKS[i % 3], dash: DASHES[((i % 3) + Math.floor(i / 3)) % 3] });

/** A colour of the tokens, as a canvas takes it. @param {string} name of a custom property @param {Element} where */
export function ink(name, where) {
  const probe = where.appendChild(h("i"));
  probe.style.color = `var(--${name}, var(--muted))`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** What the plot of one drawing is built from, and the other need not be. @param {Drawn | null} drawn */
const looks = (drawn) => JSON.stringify(drawn?.series.map(({ title, ink, dash }) => [title, ink, dash]));

/** @param {Drawn} drawn @returns {uPlot.AlignedData} */
const tableOf = ({ begins, series }) => [begins, ...series.map(({ values }) => [...values, values.at(-1) ?? 0])];

export class Plot {
  /** @type {uPlot | null} */
  #plot = null;
  #now = h("div", { class: "chart-now" });
  /** @type {Drawn | null} */
  #drawn = null;
  #seconds = 0;

  /** @param {HTMLElement} root @param {{seek: (seconds: number) => void, tell: (seconds: number | null) => void}} on */
  constructor(root, on) {
    this.root = root;
    this.on = on;
    new ResizeObserver(() => this.#fit()).observe(root);
    new MutationObserver(() => this.#build()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  /** New numbers do not replace what a pointer is just pressing: only other series need another plot. @param {Drawn} drawn */
  draw(drawn) {
    const same = looks(this.#drawn) === looks(drawn);
    this.#drawn = drawn;
    if (!same || !this.#plot) return this.#build();
    this.#plot.setData(tableOf(drawn));
    this.moveTo(this.#seconds);
  }

  /** Where the video is. @param {number} seconds */
  moveTo(seconds) {
    this.#seconds = seconds;
    if (!this.#plot) return;
    this.#now.style.transform = `translateX(${Math.round(this.#plot.valToPos(seconds, "x"))}px)`;
  }

  #fit() {
    if (!this.#plot) return this.#build();
    const width = this.root.clientWidth;
    if (width && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT });
      this.moveTo(this.#seconds);
    }
  }

  #build() {
    this.#plot?.destroy();
    this.#plot = null;
    if (!this.#drawn || !this.root.clientWidth) return;
    this.#plot = new uPlot(this.#options(this.#drawn.series), tableOf(this.#drawn), this.root);
    const { over } = this.#plot;
    over.append(this.#now);
    over.addEventListener("click", (e) => this.on.seek(this.#at(e)));
    over.addEventListener("pointermove", (e) => this.on.tell(this.#at(e)));
    over.addEventListener("pointerleave", () => this.on.tell(null));
    this.moveTo(this.#seconds);
  }

  /** The moment under a pointer. @param {MouseEvent} e */
  #at(e) {
    const plot = /** @type {uPlot} */ (this.#plot);
    return plot.posToVal(e.clientX - plot.over.getBoundingClientRect().left, "x");
  }

  /** @param {Drawn["series"]} series @returns {uPlot.Options} */
  #options(series) {
    const now = () => /** @type {Drawn} */ (this.#drawn);
    const [text, rule] = [ink("muted", this.root), ink("rule", this.root)];
    const font = `12px ${getComputedStyle(this.root).fontFamily}`;
    const axis = { stroke: text, font, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 } };
    return {
      width: this.root.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: () => now().span }, y: { range: (_u, _min, max) => [0, Math.max(4, Math.ceil(max * 1.05))] } },
      axes: [
        { ...axis, incrs: STEPS, space: 70, values: (_u, at) => at.map(now().words) },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], values: (_u, at) => at.map(String) },
      ],
      series: [
        {},
        ...series.map(({ title, ink: name, dash }) => ({
          label: title, stroke: ink(name ?? "accent", this.root), dash, width: 2, points: { show: false },
          paths: /** @type {any} */ (uPlot.paths.stepped)({ align: 1 }),
        })),
      ],
    };
  }
}
