import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { EVERYTHING, describe, filterBody, inside, isEverything, kept, lastUntil, question, tallies, totals, until } from "../../src/sightline/page/js/lines/counts.js";
import { Recounter } from "../../src/sightline/page/js/lines/recounter.js";
import { Saver } from "../../src/sightline/page/js/lines/saver.js";

const NORTH = { kind: "line", name: "north", a: [0.1, 0.5], b: [0.9, 0.5], in: "northbound", out: "southbound" };
const YARD = { kind: "zone", name: "yard", points: [[0.2, 0.2], [0.8, 0.2], [0.8, 0.7]] };
const CLASSES = ["car", "truck", "person"].map((label) => ({ label }));
const event = (more) => ({ id: "1", shape: "s", kind: "line", name: "north", direction: "northbound", group: "cars", label: "car", track_id: 1, frame: 10, pts_us: 400, time: "", x: 1, y: 2, ...more });
const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("a filter says itself in words", () => {
  assert.equal(describe(EVERYTHING), "all classes");
  assert.equal(describe({ hidden: new Set(["truck", "bus"]), min_confidence: 0.4, min_hits: null }), "without bus, truck, confidence 0.40 or more");
  assert.equal(describe({ hidden: new Set(), min_confidence: 0.4, min_hits: 12 }), "all classes, seen in 12 frames or more with confidence 0.40 or more");
  assert.equal(describe({ hidden: new Set(), min_confidence: 0, min_hits: 12 }), "all classes, seen in 12 frames or more");
  assert.deepEqual([isEverything(EVERYTHING), isEverything({ ...EVERYTHING, min_hits: 3 })], [true, false]);
});

test("a question names what is shown, and nothing where all is", () => {
  assert.deepEqual(filterBody(EVERYTHING, CLASSES), { classes: [], min_confidence: 0, min_hits: null });
  assert.deepEqual(filterBody({ hidden: new Set(["car"]), min_confidence: 0.5, min_hits: 4 }, CLASSES), { classes: ["truck", "person"], min_confidence: 0.5, min_hits: 4 });
  assert.deepEqual(Object.keys(question([NORTH, YARD], EVERYTHING, CLASSES)), ["lines", "zones", "classes", "min_confidence", "min_hits"]);
});

test("totals of a shape are the sums of its rows, by the names of its directions", () => {
  const row = (kind, name, direction, label, count) => ({ kind, name, direction, label, count, group: "cars" });
  const rows = [row("unique", "", "", "car", 9), row("line", "north", "northbound", "car", 3), row("line", "north", "northbound", "truck", 1), row("line", "north", "southbound", "car", 2), row("line", "other", "in", "car", 7), row("zone_enter", "yard", "", "car", 5), row("zone_exit", "yard", "", "car", 4)];

  assert.deepEqual(totals(rows, NORTH), { inwards: 4, outwards: 2, labels: new Map([["car", [3, 2]], ["truck", [1, 0]]]) });
  assert.deepEqual(totals(rows, YARD), { inwards: 5, outwards: 4, labels: new Map([["car", [5, 4]]]) });
});

test("events up to a moment, with those of the moment", () => {
  const found = tallies([event({}), event({ direction: "southbound", pts_us: 500 }), event({ pts_us: 600 }), event({ name: "gone" })], [NORTH]).get("line north");

  assert.deepEqual([until(found.inwards, 399), until(found.inwards, 400), until(found.inwards, 9e9)], [0, 1, 2]);
  assert.deepEqual(found.outwards, [500]);
  assert.deepEqual([399, 400, 599, 600].map((us) => lastUntil(found.events, us)), [-1, 0, 1, 2]);
});

test("inside a zone is who came in, did not go out, and is in the picture", () => {
  const zone = (kind, track_id, pts_us) => event({ kind, name: "yard", direction: "", track_id, pts_us });
  const tally = tallies([zone("zone_enter", 1, 100), zone("zone_enter", 2, 200), zone("zone_exit", 1, 300), zone("zone_enter", 1, 500)], [YARD]).get("zone yard");
  const boxes = [1, 2, 3].map((track_id) => ({ group: "cars", track_id }));

  assert.deepEqual([50, 100, 250, 300, 500].map((us) => inside(tally, us, boxes)), [0, 1, 2, 1, 2]);
  assert.equal(inside(tally, 500, [{ group: "people", track_id: 1 }]), 0);
});

test("the chosen event stays chosen where it still happens", () => {
  const chosen = event({ id: "7" });
  const moved = [event({ id: "8", pts_us: 900 }), event({ id: "9", pts_us: 420 }), event({ id: "a", pts_us: 401, track_id: 2 })];

  assert.equal(kept(chosen, [event({ id: "7", pts_us: 3 })]).pts_us, 3);
  assert.equal(kept(chosen, moved).id, "9"); // the line has moved: its events have new ids
  assert.equal(kept(chosen, moved.slice(2)), null);
  assert.equal(kept(null, moved), null);
});

/** A service that answers when it is told to. */
function service() {
  const log = { asked: [], answered: [], failed: [] };
  const recounter = new Recounter({
    ask: (question, quick, signal) => new Promise((resolve, reject) => log.asked.push({ question, quick, signal, resolve, reject })),
    answered: (answer, quick) => log.answered.push([answer, quick]),
    failed: (error, question) => log.failed.push([error.message, question]),
  });
  return { log, recounter };
}

test("while a line moves one question is on the way, and the last place is asked", async () => {
  const { log, recounter } = service();
  for (const place of [1, 2, 3]) recounter.want(place, true);
  assert.deepEqual(log.asked.map((a) => a.question), [1]);
  log.asked[0].resolve("one");
  await settled();

  assert.deepEqual(log.asked.map((a) => a.question), [1, 3]);
  assert.deepEqual(log.answered, [["one", true]]);
  assert.equal(log.asked[0].signal.aborted, false);
});

test("let go, the question with evidence waits for nothing, and what is stale is heard no more", async () => {
  const { log, recounter } = service();
  recounter.want(1, true);
  recounter.want(2, false);

  assert.deepEqual(log.asked.map((a) => [a.question, a.quick, a.signal.aborted]), [[1, true, true], [2, false, false]]);
  log.asked[0].resolve("late");
  log.asked[1].resolve("two");
  await settled();
  assert.deepEqual(log.answered, [["two", false]]);
});

test("grabbed again, the answer with evidence is given up", async () => {
  const { log, recounter } = service();
  recounter.want(1, false);
  recounter.want(2, true);
  log.asked[0].reject(new Error("aborted"));
  log.asked[1].resolve("two");
  await settled();

  assert.deepEqual([log.asked[0].signal.aborted, log.answered, log.failed], [true, [["two", true]], []]);
});

test("a question that failed is said, and the next one is asked", async () => {
  const { log, recounter } = service();
  recounter.want(1, true);
  recounter.want(2, true);
  log.asked[0].reject(new Error("away"));
  await settled();

  assert.deepEqual(log.failed, [["away", 1]]);
  assert.deepEqual(log.asked.map((a) => a.question), [1, 2]);
  recounter.stop();
  assert.equal(log.asked[1].signal.aborted, true);
});

/** A store as the service is one: a revision, and 412 for whoever has not seen it. */
function store(t) {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const kept = { body: ["a"], revision: 3, fails: /** @type {string[]} */ ([]), puts: 0 };
  const said = [];
  const saver = new Saver({
    put: async (body, revision) => {
      kept.puts++;
      const wrong = kept.fails.shift() ?? (revision === kept.revision ? "" : "changed");
      if (wrong) throw new Error(wrong);
      Object.assign(kept, { body, revision: revision + 1 });
      return { revision: kept.revision };
    },
    get: async () => ({ body: kept.body, revision: kept.revision }),
    judge: (error) => (["changed", "again"].includes(error.message) ? error.message : "refused"),
    said: (s) => said.push(s.state),
  }, ["a"], 3);
  const pass = async (ms) => {
    mock.timers.tick(ms);
    await settled();
  };
  return { kept, saver, said, pass };
}

test("what is drawn is kept after a moment of rest, once", async (t) => {
  const { kept, saver, said, pass } = store(t);
  saver.change(["b"]);
  await pass(300);
  saver.change(["c"]);
  await pass(300);
  assert.equal(kept.puts, 0);
  await pass(100);

  assert.deepEqual([kept.body, kept.revision, kept.puts, saver.revision, saver.wanted], [["c"], 4, 1, 4, null]);
  assert.deepEqual(said, ["saving", "saved"]);
});

test("what is as it was is not sent", async (t) => {
  const { kept, saver, pass } = store(t);
  saver.change(["a"]);
  await pass(400);

  assert.deepEqual([kept.puts, saver.wanted], [0, null]);
});

test("a failed save is tried again, later each time, and then holds the last that was drawn", async (t) => {
  const { kept, saver, said, pass } = store(t);
  kept.fails = ["again", "again"];
  saver.change(["b"]);
  await pass(400);
  await pass(2000);
  assert.deepEqual([kept.puts, saver.wanted], [2, ["b"]]);
  await pass(2000);
  assert.equal(kept.puts, 2);
  saver.change(["c"]);
  await pass(400);

  assert.deepEqual([kept.body, said.at(-1)], [["c"], "saved"]);
});

test("what the service refuses is not sent again until it changes", async (t) => {
  const { kept, saver, said, pass } = store(t);
  kept.fails = ["refused"];
  saver.change(["b"]);
  await pass(400);
  await pass(100000);

  assert.deepEqual([kept.puts, said.at(-1), saver.wanted], [1, "failed", ["b"]]);
});

test("where somebody else has drawn, theirs or mine is a choice", async (t) => {
  const { kept, saver, said, pass } = store(t);
  Object.assign(kept, { body: ["theirs"], revision: 5 });
  saver.change(["mine"]);
  await pass(400);
  assert.equal(said.at(-1), "changed");
  saver.change(["mine too"]); // one goes on to draw: nothing is sent before the choice
  await pass(1000);
  assert.deepEqual(kept.body, ["theirs"]);
  saver.keepMine();
  await pass(0);

  assert.deepEqual([kept.body, kept.revision, said.at(-1)], [["mine too"], 6, "saved"]);
});

test("theirs taken, nothing is sent", async (t) => {
  const { kept, saver, pass } = store(t);
  Object.assign(kept, { body: ["theirs"], revision: 5 });
  saver.change(["mine"]);
  await pass(400);

  assert.deepEqual(saver.takeTheirs(), ["theirs"]);
  await pass(1000);
  assert.deepEqual([kept.puts, saver.revision, saver.wanted], [1, 5, null]);
});

test("a save whose answer was lost is no quarrel", async (t) => {
  const { kept, saver, said, pass } = store(t);
  Object.assign(kept, { body: ["b"], revision: 4 });
  saver.change(["b"]);
  await pass(400);
  await pass(0);

  assert.deepEqual([said.includes("changed"), saver.revision, saver.wanted, said.at(-1)], [false, 4, null, "saved"]);
});
