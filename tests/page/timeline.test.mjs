import assert from "node:assert/strict";
import test from "node:test";
import { beside } from "../../src/sightline/page/js/job/events.js";
import { area, lanes, lostRuns, ticks } from "../../src/sightline/page/js/job/lanes.js";
import { middleOf } from "../../src/sightline/page/js/job/screen.js";
import { saidOf } from "../../src/sightline/page/js/job/summary.js";
import { boxesSaid } from "../../src/sightline/page/js/job/transport.js";

const pts = Float64Array.of(0, 33_367, 66_733, 200_000);
const frames = { n: 4, pts, frame: Float64Array.of(0, 1, 2, 3), seq: Int32Array.of(0, -1, 1, 2), failed: Uint8Array.of(0, 0, 1, 1), mediaStart: 0, duration: 240_000 };

test("a seek aims at the middle of the time that a frame is shown", () => {
  assert.deepEqual([0, 1, 2, 3].map((row) => middleOf(frames, row)), [16_683.5, 50_050, 133_366.5, 220_000]);
});

test("frames that cannot be decoded are marked from the first to the next that can", () => {
  assert.deepEqual(lostRuns(frames), [[66_733, 240_000]]);
  assert.deepEqual(lostRuns({ ...frames, failed: Uint8Array.of(1, 0, 1, 0) }), [[0, 33_367], [66_733, 200_000]]);
});

test("groups share the height", () => {
  assert.deepEqual(lanes(2), [{ top: 4, height: 20 }, { top: 28, height: 20 }]);
  assert.deepEqual(lanes(0), []);
});

test("the fullest bin reaches the top of its lane, an empty one its base", () => {
  assert.equal(area([2, 0], { top: 10, height: 20 }, (bin) => bin * 5), "M0.0 30L0.0 10.0L5.0 10.0L5.0 30.0L10.0 30.0L10.0 30Z");
});

test("events that share a pixel share a tick", () => {
  assert.equal(ticks([{ pts_us: 10 }, { pts_us: 10.3 }, { pts_us: 90 }], (us) => us, true), "M10 58v7M90 58v7");
});

const events = [{ id: "a", pts_us: 10 }, { id: "b", pts_us: 20 }, { id: "c", pts_us: 20 }, { id: "d", pts_us: 30 }];

test("event by event goes through all that happen in one frame", () => {
  assert.equal(beside(events, null, 15, 1).id, "b");
  assert.equal(beside(events, events[1], 20, 1).id, "c");
  assert.equal(beside(events, events[2], 20, 1).id, "d");
  assert.equal(beside(events, events[2], 20, -1).id, "b");
  assert.equal(beside(events, events[0], 25, -1).id, "c");
  assert.equal(beside(events, events[3], 30, 1), undefined);
});

test("it is said what boxes a frame has, or why it has none", () => {
  const said = (more) => boxesSaid({ frames, row: 0, boxes: [1, 2], complete: true, shown: true, job: { state: "ready" }, ahead: 3, ...more })[0];

  assert.equal(said({}), "2 boxes");
  assert.equal(said({ row: 1 }), "not looked at");
  assert.equal(said({ row: 2 }), "not decoded, no boxes");
  assert.equal(said({ complete: false }), "boxes are coming");
  assert.equal(said({ complete: false, ahead: 0, job: { state: "processing" } }), "not counted yet");
  assert.equal(said({ complete: false, ahead: 0, job: { state: "failed" } }), "the job ended before");
});

test("a track is told as the result says it, one that does not count too", () => {
  const objects = [
    { id: 3, group: "people", label: "person", from: 0, to: 1, why: "motion", doubts: [] },
    { id: 3, group: "cars", label: "van", from: 1.16, to: 5.8, why: "boxes", doubts: ["gap", "short"] },
    { id: 4, group: "cars", from: 2, to: 3, refused: "stands", doubts: [] },
    { id: 5, group: "people", refused: "rides", on: 1, doubts: [] },
  ];

  assert.deepEqual(saidOf({ objects }, { group: "cars", track_id: 3 }), { label: "van", from: 1.16, to: 5.8, facts: [["Counts", "sure boxes"], ["Doubtful", "unseen for a second or more, seen briefly"]] });
  assert.deepEqual(saidOf({ objects }, { group: "cars", track_id: 4 }), { label: null, from: 2, to: 3, facts: [["Does not count", "it stands"]] });
  assert.deepEqual(saidOf({ objects }, { group: "people", track_id: 5 }), { label: null, from: null, to: null, facts: [["Does not count", "rides a two-wheeler"]] });
  assert.equal(saidOf({ objects }, { group: "people", track_id: 4 }), null);
});
