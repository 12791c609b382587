// The audit: each counted event in a loop of 1.5 s, and what somebody says of it.

import { askJson, Refused } from "../api.js";
import { announce, button, h } from "../ui.js";
import { clock, int } from "../words.js";
import { looked, namesOf, nextOpen, queueOf } from "./audit_facts.js";
import { missedForm } from "./audit_add.js";
import { AuditTable } from "./audit_table.js";
import { auditKeys } from "./audit_keys.js";
import { failures, others, saidWords } from "./audit_lists.js";
import { offer, select } from "./choices.js";
import { plural, waiting } from "./phrases.js";
import { Verdicts } from "./verdicts.js";

const AROUND_US = 750_000;
const WAYS = new Map([["zone_enter", "entered"], ["zone_exit", "left"]]);

/** @param {import("../state.js").State} state @param {import("../job/player.js").Player} player */
export function mountAudit(state, player) {
  const root = /** @type {HTMLElement} */ (document.querySelector("#audit"));
  const which = select("Line or zone to audit", [], "");
  const order = select("Order of the events", [["time", "In order of time"], ["doubtful", "Doubtful first"]], "time");
  const open = button("Start", { kind: "primary", id: "audit-open", "aria-expanded": "false" }, () => (root.dataset.open ? close() : start()));
  const note = h("p", { class: "muted small pad", role: "status" });
  const place = h("h3", { class: "audit-place" });
  const facts = h("p", { class: "audit-facts" });
  const said = h("p", { class: "audit-said muted" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Events looked at" });
  const far = h("p", { class: "small", id: "audit-progress" });
  const keys = [
    button("Accept", { name: "ok", kind: "outlined", title: "It was counted rightly (a)" }, () => judge("accept")),
    button("Reject", { name: "close", kind: "outlined", title: "It should not have been counted (x)" }, () => judge("reject")),
    button("Previous", { name: "event-back", text: false, title: "Previous event (p)" }, () => go(at - 1)),
    button("Next", { name: "event-forward", text: false, title: "Next event (n)" }, () => go(at + 1)),
    button("Withdraw", { name: "undo", title: "Take back what was said of it" }, () => judge("withdraw")),
  ];
  const card = h("div", { class: "pad audit-card" }, place, facts, said, h("div", { class: "row audit-keys" }, keys), bar, far);
  const table = new AuditTable();
  const verdicts = new Verdicts(state, () => draw());
  const wrong = failures(verdicts);
  const more = others(player, (id, what) => verdicts.say({ verdict: "withdraw", event: id }, what));
  const missed = missedForm(state, player, (body, what) => {
    verdicts.say(/** @type {any} */ (body), what);
    announce(`Added: ${what}`);
  });
  const inside = h("div", { class: "audit-inside", hidden: true }, h("div", { class: "pad" }, order), card, missed.el, more.el);
  root.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", { id: "audit-title" }, "Audit"), h("div", { class: "end" }, which, open)),
    wrong.el, inside, table.el, note);

  /** @type {import("./audit_facts.js").Event[]} */
  let queue = [];
  let at = 0;
  /** @type {Set<string> | null} */
  let doubtful = null;

  const start = () => {
    root.dataset.open = "yes";
    draw();
    document.querySelector("#player")?.scrollIntoView({ block: "nearest" }); // the audit is beside the picture now, or below it
    go(Math.max(0, nextOpen(queue, -1)));
    announce(`Audit of ${which.value}. ${place.textContent}. Keys: a accepts, x rejects, n next, p previous.`);
  };
  const close = () => {
    delete root.dataset.open;
    player.loop(null);
    player.pause();
    if (state.values.tool === "missed") state.set({ tool: "select" });
    draw();
  };
  const go = (/** @type {number} */ to) => {
    at = Math.min(queue.length - 1, Math.max(0, to));
    const event = queue[at];
    if (event && root.dataset.open) {
      const { pts_us, group, track_id } = event;
      const end = state.values.frames?.duration ?? pts_us + AROUND_US;
      state.set({ event, track: { group, track_id }, ...(state.values.tool === "missed" ? { tool: "select" } : {}) });
      player.loop(Math.max(0, pts_us - AROUND_US), Math.min(end, pts_us + AROUND_US));
    }
    draw();
  };
  const judge = (/** @type {string} */ verdict) => {
    const event = queue[at];
    if (!event) return;
    const what = `${event.label} ${event.track_id}, ${WAYS.get(event.kind) ?? event.direction}, at ${clock(event.pts_us / 1e6, 1)}`;
    verdicts.say({ verdict, event: event.id }, what);
    const next = verdict === "withdraw" ? at : nextOpen(queue.map((each) => verdicts.of(each)), at);
    if (next >= 0) go(next);
    announce(`${saidWords(verdict)}. ${next < 0 ? "All events were looked at." : `${place.textContent}: ${facts.textContent}`}`);
  };
  const draw = () => {
    const { audit, shapes, job } = state.values;
    offer(which, shapes.map((/** @type {any} */ s) => [s.name, s.name]));
    const own = (audit?.events ?? []).filter((/** @type {any} */ e) => e.name === which.value);
    const here = queue[at]?.id;
    queue = queueOf(own, { name: which.value, doubtful: order.value === "doubtful" ? doubtful : null });
    at = Math.max(0, queue.findIndex(({ id }) => id === here));
    const opened = Boolean(root.dataset.open && which.value);
    inside.hidden = !opened;
    open.textContent = root.dataset.open ? "Close" : "Start";
    open.setAttribute("aria-expanded", String(opened));
    open.disabled = !audit || !which.value;
    which.hidden = !shapes.length;
    const known = queue.map((each) => verdicts.of(each));
    const n = looked(known);
    bar.max = Math.max(1, queue.length);
    bar.value = n;
    far.textContent = `${int(n)} of ${int(queue.length)} looked at`;
    card.hidden = !queue.length;
    showEvent(known[at]);
    missed.offer(which.value);
    wrong.draw();
    more.draw(audit, which.value);
    const judged = (audit?.counts ?? []).some((/** @type {any} */ row) => row.name === which.value && (row.raw > row.open || row.missed));
    table.el.hidden = !opened && !judged;
    if (audit) table.show(audit, which.value);
    note.textContent = words(job, shapes, audit, opened, queue.length, n);
  };
  const showEvent = (/** @type {any} */ event) => {
    if (!event) return;
    place.textContent = `Event ${int(at + 1)} of ${int(queue.length)}`;
    facts.textContent = `${event.label} ${event.track_id}, ${WAYS.get(event.kind) ?? event.direction}, at ${clock(event.pts_us / 1e6, 2)}, frame ${int(event.frame)}${doubtful?.has(`${event.group}/${event.track_id}`) ? ", doubtful" : ""}`;
    said.textContent = event.said ? `${event.said}${event.by ? ` by ${event.by}` : ""}${event.at ? `, ${event.at.slice(0, 16).replace("T", " ")} UTC` : ""}` : "nobody has looked at it";
    keys[4].disabled = !event.said;
  };
  const doubts = async () => {
    try {
      const { objects } = await askJson(`/jobs/${state.values.job.job_id}/results/summary.json`);
      doubtful = new Set(objects.filter((/** @type {any} */ o) => o.doubts?.length).map((/** @type {any} */ o) => `${o.group}/${o.id}`));
      announce(doubtful.size ? `${doubtful.size} doubtful objects come first` : "No object of this job is doubtful");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      order.value = "time";
      announce(`The doubtful ones are not known. ${error.message}`);
    }
  };
  order.addEventListener("change", async () => {
    if (order.value === "doubtful" && !doubtful) await doubts();
    draw();
    go(Math.max(0, nextOpen(queue.map((each) => verdicts.of(each)), -1)));
  });
  which.addEventListener("change", () => {
    at = 0;
    queue = [];
    draw();
    if (root.dataset.open) go(Math.max(0, nextOpen(queue, -1)));
  });
  let before = -1;
  state.on(["row"], () => {
    const { frames, row } = state.values;
    const [now, event] = [frames?.frame[row], queue[at]];
    if (root.dataset.open && event && before < event.frame && now >= event.frame && now < event.frame + 25) player.ring(event.x, event.y);
    before = now;
  });
  state.on(["shape"], () => {
    if (root.dataset.open || !state.values.shapes.some((/** @type {any} */ s) => s.name === state.values.shape)) return;
    which.value = state.values.shape;
    draw();
  });
  let names = "";
  state.on(["shapes"], () => {
    const now = namesOf(state.values.shapes);
    if (now !== names) draw();
    names = now;
  });
  state.on(["audit", "job"], draw);
  auditKeys(() => Boolean(root.dataset.open), { a: () => judge("accept"), x: () => judge("reject"), n: () => go(at + 1), p: () => go(at - 1) });
  draw();
}

/** @param {any} job @param {any[]} shapes @param {any} audit @param {boolean} opened @param {number} all @param {number} n */
function words(job, shapes, audit, opened, all, n) {
  if (waiting(job)) return waiting(job);
  if (!shapes.length) return "Draw a line to audit what crosses it.";
  if (!audit) return "";
  if (!all) return "Nothing was counted here. Start to add what was missed.";
  const stale = audit.stale.length ? ` ${plural(audit.stale.length, "verdict")} on lines as they were before ${audit.stale.length === 1 ? "is kept and counts" : "are kept and count"} nothing.` : "";
  if (!opened) return `${int(n)} of ${int(all)} events looked at.${stale} Step through them and say of each whether it was counted rightly.`;
  return "All objects that were counted are audited, whatever the filter shows. Verified = counted \u2212 rejected + missed; error = (counted \u2212 verified) / verified.";
}
