import assert from "node:assert/strict";
import test from "node:test";
import { ACTIVE, Jobs, newest, viewOf } from "../../src/sightline/page/js/home/jobs.js";

const ALL = { states: [], name: "" };
const job = (n, state = "ready", name = `clip ${n}.mp4`) => ({ job_id: `id${n}`, name, state, created_at: `2026-11-21T07:00:${String(n).padStart(2, "0")}Z`, progress: {} });
const ids = (jobs, wanted = ALL) => jobs.shown(wanted).map(({ job_id: id }) => id);

test("newest first, whatever came when", () => {
  const jobs = new Jobs();
  jobs.first([job(3), job(2)], true, ALL);
  jobs.merge([job(9, "sent"), job(1)]);

  assert.deepEqual(ids(jobs), ["id9", "id3", "id2", "id1"]);
});

test("what is older than the pages so far waits for its page", () => {
  const jobs = new Jobs();
  jobs.first([job(9), job(8)], false, ALL);
  jobs.merge([job(2, "processing")]);
  assert.deepEqual(ids(jobs), ["id9", "id8"]);

  jobs.more([job(3), job(2, "processing")], true);
  assert.deepEqual(ids(jobs), ["id9", "id8", "id3", "id2"]);
});

test("what should be on the first page and is not has gone", () => {
  const jobs = new Jobs();
  jobs.first([job(9), job(8), job(7)], false, ALL);
  jobs.more([job(3)], true);
  jobs.first([job(9), job(7), job(6)], false, ALL);

  assert.deepEqual(ids(jobs), ["id9", "id7", "id6", "id3"]);
});

test("a page of some states says nothing of others", () => {
  const jobs = new Jobs();
  jobs.first([job(9), job(8, "failed")], true, ALL);
  jobs.first([], true, { states: ["ready"], name: "" });

  assert.deepEqual(ids(jobs), ["id8"]);
});

test("states only move on: an answer that was overtaken changes nothing", () => {
  const jobs = new Jobs();
  jobs.merge([job(1, "processing")]);
  const changed = jobs.merge([job(1, "ready")]);
  jobs.merge([job(1, "sent")]);

  assert.deepEqual(changed.map(({ job: { state }, before }) => [before, state]), [["processing", "ready"]]);
  assert.equal(jobs.byId.get("id1").state, "ready");
});

test("what was deleted here does not come back with an event that was under way", () => {
  const jobs = new Jobs();
  jobs.first([job(1)], true, ALL);
  jobs.remove("id1");
  jobs.merge([job(1)]);

  assert.deepEqual(ids(jobs), []);
});

test("what was removed elsewhere goes", () => {
  const jobs = new Jobs();
  jobs.first([job(1, "processing"), job(2, "cancelled")], true, ALL);
  jobs.merge([{ ...job(1, "cancelled"), reason: "removed" }]);

  assert.deepEqual(ids(jobs), ["id2"]);
});

test("progress is that of the jobs that are known", () => {
  const jobs = new Jobs();
  jobs.merge([job(1, "processing")]);
  const before = jobs.byId.get("id1");
  jobs.progress({ id1: { feed: { done: 3, total: 9 } }, other: {} });

  assert.deepEqual(jobs.byId.get("id1").progress, { feed: { done: 3, total: 9 } });
  assert.notEqual(jobs.byId.get("id1"), before);
  assert.equal(jobs.byId.has("other"), false);
});

test("views and names filter", () => {
  const jobs = new Jobs();
  jobs.first([job(4, "processing", "North.mp4"), job(3, "failed"), job(2, "ready", "north 2.mp4"), job(1, "sent")], true, ALL);

  assert.deepEqual(ids(jobs, { states: viewOf("active").states, name: "" }), ["id4", "id1"]);
  assert.deepEqual(ids(jobs, { states: [], name: "NORTH" }), ["id4", "id2"]);
  assert.equal(viewOf("nonsense").name, "all");
});

test("the oldest that waits is next in line", () => {
  const jobs = new Jobs();
  jobs.merge([job(4, "sent"), job(3, "new"), job(2, "processing"), job(1, "ready")]);

  assert.deepEqual([...jobs.places()], [["id3", 1], ["id4", 2]]);
  assert.equal(jobs.active(), 3);
  assert.deepEqual(ACTIVE, ["new", "sent", "processing", "predictable"]);
});

test("what ended while nobody listened is asked for", () => {
  const jobs = new Jobs();
  jobs.merge([job(4, "sent"), job(3, "processing"), job(2, "processing"), job(1, "ready")]);

  assert.deepEqual(jobs.untold([job(3, "processing"), job(9, "sent")]), ["id4", "id2"]);
});

test("two of the same time have an order", () => {
  assert.equal([{ ...job(1), job_id: "a" }, { ...job(1), job_id: "b" }].sort(newest)[0].job_id, "b");
});
