import assert from "node:assert/strict";
import test from "node:test";
import { looked, nextOpen, placesOf, queueOf, summed } from "../../src/sightline/page/js/numbers/audit_facts.js";
import { follow, verified } from "../../src/sightline/page/js/numbers/verified.js";

const event = (id, more = {}) => ({ id, kind: "line", name: "north", direction: "in", group: "cars", label: "car", track_id: Number(id), frame: 0, pts_us: 0, x: 0, y: 0, said: null, by: null, at: null, ...more });

test("a line has two directions, a zone two ways", () => {
  assert.deepEqual(placesOf([{ kind: "line", name: "a", in: "n", out: "s" }, { kind: "zone", name: "b", points: [] }]), [
    { kind: "line", name: "a", direction: "n" }, { kind: "line", name: "a", direction: "s" },
    { kind: "zone_enter", name: "b", direction: "" }, { kind: "zone_exit", name: "b", direction: "" },
  ]);
});

test("the events of a line, in the order of time or the doubtful ones first", () => {
  const events = [event("1"), event("2", { name: "south" }), event("3"), event("4")];
  const ids = (doubtful) => queueOf(events, { name: "north", doubtful }).map(({ id }) => id);

  assert.deepEqual(ids(null), ["1", "3", "4"]);
  assert.deepEqual(ids(new Set(["cars/4", "people/1"])), ["4", "1", "3"]);
});

test("after a verdict comes the next event that nobody has looked at", () => {
  const queue = [event("1"), event("2", { said: "accepted" }), event("3"), event("4", { said: "rejected" })];

  assert.deepEqual([nextOpen(queue, 0), nextOpen(queue, 2), nextOpen(queue.slice(1, 2), 0)], [2, 0, -1]);
  assert.equal(looked(queue), 2);
});

test("figures of several rows add up, and the error is that of the sums", () => {
  const row = (label, raw, rejected, missed) => ({ kind: "line", name: "north", direction: "in", group: "cars", label, raw, accepted: 0, rejected, missed, open: raw - rejected, verified: raw - rejected + missed, error: null });
  const [all] = summed([row("car", 8, 1, 0), row("truck", 4, 0, 1)], () => "");

  assert.deepEqual(all.figures, { raw: 12, accepted: 0, rejected: 1, missed: 1, open: 11, verified: 12, error: 0 });
  assert.deepEqual(summed([row("car", 3, 1, 0), row("truck", 4, 4, 0)], ({ label }) => label).map(({ figures }) => figures.error), [0.5, null]);
});

test("what is shown is verified only where somebody has looked", () => {
  const shown = [event("1"), event("2"), event("3", { direction: "out" })];
  const audit = { events: [event("1", { said: "rejected" }), event("2", { said: "accepted" }), event("9", { said: "rejected" })], missed: [event("m", { label: "truck" })] };

  const page = { values: { audit: null, counts: { evidence: shown }, filter: { hidden: new Set() } } };
  follow(page);
  assert.equal(verified("north", "in"), null);

  page.values.audit = audit;
  assert.deepEqual(verified("north", "in"), { raw: 2, verified: 2, looked: 2, missed: 1 });
  assert.equal(verified("north", "out"), null);

  page.values.filter = { hidden: new Set(["truck"]) };
  assert.equal(verified("north", "in")?.verified, 1);
});
