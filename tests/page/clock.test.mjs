import assert from "node:assert/strict";
import test from "node:test";
import { dayOf, moment, readClock, sinceMidnightUs, typed } from "../../src/sightline/page/js/numbers/clock_text.js";

test("a time of the first frame is read as people write it", () => {
  const read = (text) => readClock(text).value;

  assert.equal(read("2026-11-21 08:00"), null);
  assert.equal(read("2026-11-21 08:00 +1"), "2026-11-21T08:00:00+01:00");
  assert.equal(read(" 2026-1-2T7:03:20.5-0530 "), "2026-01-02T07:03:20.5-05:30");
  assert.equal(read("2026-11-21T08:00:00Z"), "2026-11-21T08:00:00Z");
  assert.equal(read("2026-11-21 08:00:00 +01:00"), "2026-11-21T08:00:00+01:00");
});

test("what is wrong is said in words, and empty is no clock", () => {
  const wrong = (text) => readClock(text).wrong;

  assert.match(wrong("8 o'clock"), /Write date, time and offset/);
  assert.match(wrong("2026-11-21 08:00"), /Add the offset/);
  assert.match(wrong("2026-02-30 08:00Z"), /no such day/);
  assert.match(wrong("2026-11-21 24:00Z"), /no such time/);
  assert.match(wrong("2026-11-21 08:00 +25"), /Offsets/);
  assert.deepEqual(readClock("  "), { value: null, wrong: "" });
});

test("what was stored can be typed again", () => {
  const value = "2026-11-21T08:00:00.25+01:00";

  assert.equal(readClock(typed(value)).value, value);
  assert.equal(typed(null), "");
});

test("moments of the service are short", () => {
  assert.equal(moment("2026-11-21T08:15:00+01:00", false), "08:15");
  assert.equal(moment("2026-11-21T08:15:07.000000+01:00", true), "08:15:07");
  assert.equal(moment("00:15:00", false), "00:15:00");
  assert.deepEqual([dayOf("2026-11-21T08:15:00Z"), dayOf("00:15:00")], ["2026-11-21", ""]);
});

test("bins begin at midnight of the first day", () => {
  assert.equal(sinceMidnightUs("2026-11-21T07:03:20.5+01:00"), (7 * 3600 + 3 * 60 + 20.5) * 1e6);
  assert.equal(sinceMidnightUs(null), 0);
});
