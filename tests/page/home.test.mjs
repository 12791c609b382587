import assert from "node:assert/strict";
import test from "node:test";
import { Events } from "../../src/sightline/page/js/home/events.js";
import { Rate, left, leftWords } from "../../src/sightline/page/js/home/rate.js";
import { Remembered, hash, printOf } from "../../src/sightline/page/js/home/remembered.js";
import { probeWords, refusal } from "../../src/sightline/page/js/home/probe.js";
import { explain, rfc3339, sourceWords } from "../../src/sightline/page/js/home/words.js";

test("a rate is that of the last ten seconds", () => {
  const rate = new Rate();
  for (let s = 0; s <= 20; s++) rate.add(s * 1000, s < 10 ? s * 100 : 1000 + (s - 10) * 10);

  assert.equal(rate.of(20_000), 10);
  assert.equal(left(rate.of(20_000), 50), 5);
});

test("nobody knows a rate of one point, or of what stands still", () => {
  const rate = new Rate();
  assert.equal(rate.of(0), null);
  rate.add(0, 7);
  rate.add(5000, 7);

  assert.equal(rate.of(5000), null);
  assert.equal(left(null, 10), null);
});

test("what stands still gets slower, not stuck at its last rate", () => {
  const rate = new Rate();
  rate.add(0, 0);
  rate.add(1000, 100);

  assert.deepEqual([1000, 5000].map((now) => rate.of(now)), [100, 20]);
});

test("what begins anew is not slower than nothing", () => {
  const rate = new Rate();
  rate.add(0, 900);
  rate.add(1000, 0);
  rate.add(2000, 50);

  assert.equal(rate.of(2000), 50);
});

test("time left is rounded up", () => {
  assert.deepEqual([null, 0.2, 59.2, 61, 3601].map(leftWords), ["", "1 s left", "60 s left", "2 min left", "1 h 1 min left"]);
});

test("a code is a sentence and what to do; an unknown one is the service's own", () => {
  assert.deepEqual(explain("encrypted", "x"), { what: "The pictures of the video are encrypted.", todo: "Decrypt it with its key, then send it again." });
  assert.deepEqual(explain("limit", "8193 pixels wide, at most 8192"), { what: "8193 pixels wide, at most 8192.", todo: "Scale the video down or cut it, then send it again." });
  assert.deepEqual(explain("brand_new", "the moon is full"), { what: "The moon is full.", todo: "" });
  assert.deepEqual(explain("", ""), { what: "It failed, and nobody said why.", todo: "" });
});

test("a source in words", () => {
  const source = { kind: "video", codec: "h264", width: 1280, height: 720, frames: 625, duration_us: 25_000_000, bytes: 1_610_915 };

  assert.equal(sourceWords(source), "H.264, 1280×720, 25 fps, 625 frames, 0:25, 1.6 MB");
  assert.equal(sourceWords({ ...source, frames: 899, duration_us: 29_996_633 }), "H.264, 1280×720, 29.97 fps, 899 frames, 0:29, 1.6 MB");
  assert.match(sourceWords({ ...source, codec: "prores" }), /^PRORES, /);
  assert.equal(sourceWords(null), "");
});

test("a clock on the wall has the offset of its place", () => {
  assert.equal(rfc3339("2026-11-21T08:00", 60), "2026-11-21T08:00:00+01:00");
  assert.equal(rfc3339("2026-11-21T08:00:30", -210), "2026-11-21T08:00:30-03:30");
  assert.equal(rfc3339(""), "");
});

test("a file that cannot be sent is refused before it is", () => {
  assert.match(refusal(new File(["x"], "notes.txt", { type: "text/plain" }), null), /not a video/);
  assert.match(refusal(new File([], "a.mp4"), null), /empty/);
  assert.match(refusal(new File(["12345"], "a.mkv"), 4), /has 5 B.* takes 4 B/);
  assert.equal(refusal(new File(["1234"], "A.MTS"), 4), "");
});

test("what a browser cannot read is said", () => {
  assert.match(probeWords(1000, null), /cannot read it; the service will/);
  assert.equal(probeWords(1_500_000, { seconds: 61, width: 640, height: 360 }), "1.5 MB, 640×360, 1:01");
});

test("events come whole, however they were cut", () => {
  const events = new Events();
  const text = 'retry: 2000\n\nid: 7\nevent: jobs\ndata: {"a":\ndata: 1}\n\n: ping\n\nevent: progress\ndata: {}\n\n';
  const heard = [...text].flatMap((letter) => events.add(letter));

  assert.deepEqual(heard, [{ event: "jobs", data: '{"a":\n1}' }, { event: "progress", data: "{}" }]);
});

test("a file is known by its name, size, time and both ends", async () => {
  const file = (bytes, name = "a.mp4", lastModified = 5) => new File([bytes], name, { lastModified });
  const big = new Uint8Array(3 * 2 ** 20);
  const end = big.slice();
  end[end.length - 1] = 1;
  const prints = await Promise.all([file(big), file(end), file(big, "b.mp4"), file(big, "a.mp4", 6)].map(printOf));

  assert.equal(new Set(prints).size, 4);
  assert.equal(await printOf(file(big)), prints[0]);
  assert.notEqual(hash(Uint8Array.of(1, 2)), hash(Uint8Array.of(2, 1)));
});

test("an upload is remembered for as long as the service keeps it", () => {
  let [kept, now] = [{}, 0];
  const notes = new Remembered({ read: () => kept, write: (all) => (kept = all) }, () => now);
  notes.keep("a", { url: "/a", name: "a.mp4", size: 5, options: { pipeline: "detect" } });
  now = 20 * 3600 * 1000;
  notes.keep("b", { url: "/b", name: "b.mp4", size: 6 });

  assert.deepEqual(notes.get("a"), { url: "/a", name: "a.mp4", size: 5, options: { pipeline: "detect" }, at: 0 });
  now = 25 * 3600 * 1000;
  assert.equal(notes.get("a"), null);
  assert.deepEqual(notes.all().map(([print]) => print), ["b"]);
  notes.forget("b");
  assert.deepEqual(kept, {});
});
