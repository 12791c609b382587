import assert from "node:assert/strict";
import test from "node:test";
import { readPlace, writePlace } from "../../src/sightline/page/js/job/place.js";

test("an address says time, track and line", () => {
  assert.deepEqual(readPlace("?t=21.3&track=cars:12&line=north"), { us: 21_300_000, track: { group: "cars", track_id: 12 }, shape: "north" });
});

test("a group may have a colon in its name", () => {
  assert.deepEqual(readPlace("?track=two%3Awheels:3").track, { group: "two:wheels", track_id: 3 });
});

test("what is malformed is left out", () => {
  const nothing = { us: null, track: null, shape: null };

  for (const search of ["", "?t=-1", "?t=1e9", "?t=x", "?track=cars", "?track=cars:x", "?track=:3", "?line="]) assert.deepEqual(readPlace(search), nothing, search);
});

test("a place that is written reads the same, and what else stood there stays", () => {
  const place = { us: 21_333_367, track: { group: "cars", track_id: 12 }, shape: "North arm & co" };
  const written = writePlace("?theme=dark&t=1", place);

  assert.deepEqual(readPlace(written), place);
  assert.equal(new URLSearchParams(written).get("theme"), "dark");
});

test("a place of nothing is no query", () => {
  assert.equal(writePlace("?t=3&track=cars:1&line=x", { us: null, track: null, shape: null }), "");
});
