// Where objects went, and by a zone whose sides are known how fast.

import { ask, askJson } from "../api.js";
import { describe, question } from "../lines/counts.js";
import { button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { asking, trouble, whenSeen } from "./asking.js";
import { follows } from "./follows.js";
import { LongTable, namedTd, td, th } from "./long_table.js";
import { waiting } from "./phrases.js";
import { planeFields } from "./plane.js";
import { headed, petals, roseWords } from "./rose.js";
import { fileName, save } from "./save.js";

const RADIUS = 56;
const ROUND = 76; // room for the numbers, too

/** @param {import("../state.js").State} state */
export function mountSpeeds(state) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#speeds"));
  const note = h("p", { class: "muted small pad", role: "status", "data-filter": "" });
  const roses = h("div", { class: "roses" });
  const table = new LongTable("Directions and speeds by group and line", "plain speeds");
  const file = button("CSV", { name: "down", title: "Download a row for each object as CSV", disabled: true }, () => void download());
  let seen = false;
  const fields = planeFields(state, () => begin());

  const body = (/** @type {boolean} */ objects) => {
    const { filter, classes, shapes } = state.values;
    const { zones: _zones, lines, ...asked } = question(shapes, filter, classes);
    const plane = fields.plane();
    return { ...asked, ...(objects ? {} : { lines }), ...(plane ? { plane } : {}), objects };
  };
  const again = asking({
    ask: (signal) => askJson(`/jobs/${state.values.job.job_id}/speeds`, { method: "POST", json: body(false), signal }),
    done: (answer) => {
      failed.say("");
      draw(answer);
    },
    failed: (error) => {
      empty("");
      fields.el.hidden = false; // what is wrong may be what was entered there
      failed.say(`Directions and speeds could not be told. ${error.message}`);
    },
    wait: 400,
  });
  const failed = trouble(again);
  const download = async () => {
    try {
      const answer = await ask(`/jobs/${state.values.job.job_id}/speeds?format=csv`, { method: "POST", json: body(true), headers: { Accept: "text/csv" } });
      save(await answer.blob(), `${fileName(state.values.job.name)}-speeds.csv`);
      failed.say("");
    } catch (error) {
      failed.say(`The file could not be made. ${/** @type {Error} */ (error).message}`);
    }
  };
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "speeds-title" }, "Directions and speeds"), h("div", { class: "end" }, file)),
    failed.el, roses, table.el, fields.el, note);

  const begin = () => {
    const { job } = state.values;
    fields.offer();
    failed.say("");
    if (waiting(job)) return empty(waiting(job));
    if (seen) again();
  };
  const empty = (/** @type {string} */ words) => {
    draw(null);
    note.textContent = words;
  };
  const draw = (/** @type {any} */ answer) => {
    root.removeAttribute("aria-busy");
    table.el.hidden = roses.hidden = fields.el.hidden = file.disabled = !answer;
    if (!answer) return;
    const { groups, lines, unplaced } = answer;
    roses.replaceChildren(...groups.filter((/** @type {any} */ row) => headed(row.rose)).map(figure));
    table.show(built([...groups, ...lines], Boolean(fields.plane())));
    note.textContent = `Directions are those in the picture; what stood has none. ${lost(unplaced)}Counted: ${describe(state.values.filter)}.`;
  };
  follows(state, root, (shapes) => shapes, begin);
  whenSeen(root, () => {
    seen = true;
    begin();
  });
}

/** @param {any} row of a group */
function figure({ group, rose }) {
  const arms = petals(rose, RADIUS);
  return h("figure", {},
    h("svg", { class: "rose", viewBox: `${-ROUND} ${-ROUND} ${2 * ROUND} ${2 * ROUND}`, role: "img", "aria-label": `${group}: ${roseWords(rose)}` },
      h("circle", { r: RADIUS }),
      arms.map(({ d }) => h("path", { d })),
      arms.map(({ n, x, y }) => h("text", { x, y }, int(n)))),
    h("figcaption", {}, group));
}

/** @param {{frame: number, start_s: number, end_s: number}[]} unplaced */
const lost = (unplaced) => unplaced.map(({ frame, start_s, end_s }) => `From frame ${int(frame)} (${clock(start_s)}) to ${clock(end_s)} nobody knows where the camera looked. `).join("");

/** @param {any[]} rows @param {boolean} metres whether speeds were asked for */
function built(rows, metres) {
  return {
    head: [h("tr", {}, th("Who"), th("Objects", "num"), th("With a direction", "num"), ...(metres ? [th("With a speed", "num"), th("km/h", "num"), th("Half between", "num"), th("Error", "num")] : []))],
    n: rows.length,
    row: (/** @type {number} */ i) => {
      const row = rows[i];
      const speeds = metres ? [td(int(row.measured), "num"), td(kmh(row.median_kmh), "num"), td(row.lower_kmh === null ? "" : `${kmh(row.lower_kmh)} to ${kmh(row.upper_kmh)}`, "num"), td(row.error_kmh === null ? "" : `± ${kmh(row.error_kmh)}`, "num")] : [];
      return h("tr", {}, namedTd(row.name === undefined ? row.group : `${row.name}, ${row.direction}: ${row.group}`), td(int(row.objects), "num"), td(int(headed(row.rose)), "num"), ...speeds);
    },
  };
}

/** @param {number | null} value */
const kmh = (value) => (value === null ? "unknown" : value.toFixed(1));
