import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { Boxes, LENGTH, MOST, streamsOf, wantedAround } from "../../src/sightline/page/js/job/boxes.js";
import { decodeSegment } from "../../src/sightline/page/js/job/segments.js";

const FORMS = new URL("../data/forms/", import.meta.url);

test("segments of every version that the service writes are read, of a camera that moves too", () => {
  const names = readdirSync(FORMS).filter((name) => name.startsWith("segment-"));
  assert.ok(names.length >= 2);
  for (const name of names) {
    const { buffer } = Uint8Array.from(readFileSync(new URL(name, FORMS)));
    const { n, starts, track, box, confidence, origin } = decodeSegment(buffer);
    const rows = track.length;
    assert.ok(n > 0 && rows > 0 && starts[n] === rows, name);
    for (let row = 0; row < rows; row++) {
      const [x1, y1, x2, y2] = box.subarray(4 * row, 4 * row + 4);
      assert.ok(track[row] >= 0 && x1 < x2 && y1 < y2 && confidence[row] > 0 && confidence[row] <= 1 && origin[row] <= 9, `${name}: row ${row}`);
    }
  }
});

/** Frames of 40 ms, of which every `stride`th is looked at. */
function frames(n, stride = 1) {
  const all = Array.from({ length: n }, (_, i) => i);
  return {
    n, duration: n * 40_000, mediaStart: 0,
    pts: Float64Array.from(all, (i) => i * 40_000), frame: Float64Array.from(all),
    seq: Int32Array.from(all, (i) => (i % stride ? -1 : i / stride)), failed: new Uint8Array(n),
  };
}

/** A segment in which every frame has one box, at the number of its frame. */
function segment(first, n = LENGTH) {
  const buffer = new ArrayBuffer(40 + 16 * n + ((4 * n + 7) & ~7) + ((n + 7) & ~7) + 8 * n * 3 + 32 * n + 8 * n + ((n + 7) & ~7));
  const view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("SLSEGMNT"));
  view.setUint16(8, 1, true);
  view.setUint16(10, 2, true);
  [first, n, n].forEach((value, i) => view.setBigInt64(16 + 8 * i, BigInt(value), true));
  const seq = 40 + 16 * n + ((4 * n + 7) & ~7) + ((n + 7) & ~7);
  for (let i = 0; i < n; i++) {
    view.setBigInt64(seq + 8 * i, BigInt(first + i), true);
    view.setBigInt64(seq + 8 * (n + i), 7n, true);
    view.setBigInt64(seq + 8 * (2 * n + i), 2n, true);
    view.setFloat64(seq + 24 * n + 32 * i, first + i, true);
  }
  return buffer;
}

const fetched = globalThis.fetch;
afterEach(() => (globalThis.fetch = fetched));

/** The service: what it was asked for, by path; `there` says the status of each. */
function service(there = () => 200) {
  const asked = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url).replace("/api/v1/jobs/j/segments/", ""));
    const first = Number(String(url).split("/").at(-1));
    const status = there(first);
    return status === 200 ? new Response(segment(first)) : new Response("{}", { status });
  };
  return asked;
}

const job = (state, sampled = 100_000) => ({ state, sampled, tracked: true, groups: [{ name: "cars", labels: [{ class_id: 2, label: "car" }] }] });
const settled = () => new Promise((done) => setTimeout(done, 5));
const failure = (error) => assert.fail(error);

test("a job's boxes are published ones once it is ready, tracks before, detections where nothing is tracked", () => {
  assert.deepEqual(streamsOf(job("ready")), [["cars", "published:cars"]]);
  assert.deepEqual(streamsOf(job("processing")), [["cars", "tracks:cars"]]);
  assert.deepEqual(streamsOf({ ...job("ready"), tracked: false }), [["cars", "detections:cars"]]);
});

test("segments are wanted ten seconds ahead and two behind, the nearest first", () => {
  assert.deepEqual(wantedAround(frames(2000), 310), [256, 384, 512]);
  assert.deepEqual(wantedAround(frames(2000), 260), [256, 384, 128]);
  assert.deepEqual(wantedAround(frames(2000), 0), [0, 128]);
  assert.deepEqual(wantedAround(frames(2000), 1999), [1920]);
});

test("where every tenth frame is looked at, ten seconds are few segments", () => {
  assert.deepEqual(wantedAround(frames(20_000, 10), 1400), [128]);
});

test("boxes are those of the frame that is asked for, with the words of their classes", async () => {
  service();
  const boxes = new Boxes("j", () => {}, failure);
  boxes.follow(job("ready"), 100_000);
  boxes.around(frames(2000), 300);
  assert.equal(boxes.at(300), null);
  await settled();

  assert.deepEqual(boxes.at(300).map(({ group, label, track_id, x1 }) => ({ group, label, track_id, x1 })), [{ group: "cars", label: "car", track_id: 7, x1: 300 }]);
  assert.equal(boxes.at(1500), null);
});

test("nothing is asked for twice, nor before its last frame has boxes", async () => {
  const asked = service();
  const boxes = new Boxes("j", () => {}, failure);
  boxes.follow(job("processing"), 400);
  boxes.around(frames(500), 310);
  boxes.around(frames(500), 311);
  await settled();
  boxes.around(frames(500), 312);
  await settled();
  assert.deepEqual(asked, ["tracks%3Acars/256"]);

  boxes.follow(job("processing"), 512);
  await settled();
  assert.deepEqual(asked, ["tracks%3Acars/256", "tracks%3Acars/384"]);
});

test("the last segment is there with the last frame", async () => {
  const asked = service();
  const boxes = new Boxes("j", () => {}, failure);
  boxes.follow(job("ready", 300), 300);
  boxes.around(frames(300), 299);
  await settled();

  assert.deepEqual(asked, ["published%3Acars/256", "published%3Acars/128"]);
  assert.equal(boxes.at(299).length, 1);
});

test("memory stays flat over hours: what lies around the moment is kept, the rest goes", async () => {
  service();
  const boxes = new Boxes("j", () => {}, failure);
  boxes.follow(job("ready"), 100_000);
  for (let row = 0; row < 20_000; row += 100) {
    boxes.around(frames(20_000), row);
    await settled();
    assert.ok(boxes.size <= MOST);
    assert.notEqual(boxes.at(row), null);
  }
});

test("a job that is ready is asked for its published tracks, whatever was there before", async () => {
  const asked = service();
  const boxes = new Boxes("j", () => {}, failure);
  boxes.follow(job("processing"), 100_000);
  boxes.around(frames(2000), 0);
  await settled();
  boxes.follow(job("ready"), 100_000);
  await settled();

  assert.deepEqual(asked, ["tracks%3Acars/0", "tracks%3Acars/128", "published%3Acars/0", "published%3Acars/128"]);
});

test("a failed request is said, and repeated when one moves", async () => {
  let status = 500;
  const asked = service(() => status);
  const said = [];
  const boxes = new Boxes("j", () => {}, (error) => said.push(error.status));
  boxes.follow(job("ready"), 100_000);
  boxes.around(frames(100), 0);
  await settled();
  status = 200;
  boxes.around(frames(100), 1);
  await settled();

  assert.deepEqual([said, asked.length, boxes.at(1).length], [[500], 2, 1]);
});
