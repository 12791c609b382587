import assert from "node:assert/strict";
import test from "node:test";
import { bytes, clock, codecWord, int } from "../../src/sightline/page/js/words.js";

test("a clock cuts and never rounds up", () => {
  assert.equal(clock(59.9999, 2), "0:59.99");
  assert.equal(clock(3661.5), "1:01:01");
  assert.equal(clock(-1.5, 1), "-0:01.5");
  assert.equal(clock(0), "0:00");
});

test("a codec has one name on every page", () => {
  assert.deepEqual(["h264", "hevc", "prores", null].map(codecWord), ["H.264", "H.265", "PRORES", ""]);
});

test("numbers have groups, bytes units", () => {
  assert.equal(int(12345.4), "12,345");
  assert.deepEqual([999, 1500, 31200000, 2.5e9].map(bytes), ["999 B", "1.5 kB", "31 MB", "2.5 GB"]);
});
