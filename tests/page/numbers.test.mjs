import assert from "node:assert/strict";
import test from "node:test";
import { cell, csv } from "../../src/sightline/page/js/numbers/csv.js";
import { filesOf } from "../../src/sightline/page/js/numbers/files.js";
import { tabulate } from "../../src/sightline/page/js/numbers/interval_rows.js";
import { byInterval, heads } from "../../src/sightline/page/js/numbers/movements_rows.js";
import { busiest } from "../../src/sightline/page/js/numbers/peak.js";
import { lostWords, percent, ruleWords, verifiedWords, waiting } from "../../src/sightline/page/js/numbers/phrases.js";
import { planeOf } from "../../src/sightline/page/js/numbers/plane.js";
import { headed, petals, roseWords } from "../../src/sightline/page/js/numbers/rose.js";
import { binAt, binsOf, crossings, inView } from "../../src/sightline/page/js/numbers/series.js";

const LINE = { kind: "line", name: "north", a: [0, 0.5], b: [1, 0.5], in: "up", out: "down" };
const ZONE = { kind: "zone", name: "yard", points: [[0, 0], [1, 0], [1, 1]] };

test("a cell that begins like a formula is text, a number stays one", () => {
  assert.deepEqual(["=1+1", "+49", "-x", "@a", "\tx"].map(cell), ["'=1+1", "'+49", "'-x", "'@a", "'\tx"]);
  assert.deepEqual([cell(-3.5), cell(null), cell("a,b"), cell('say "so"'), cell("=a,b")], ["-3.5", "", '"a,b"', '"say ""so"""', `"'=a,b"`]);
});

test("a table says what it is before its head", () => {
  assert.equal(csv(["Filter: car, truck", "two\nlines"], [["from", "n"], ["07:00", 3]]), '"# Filter: car, truck"\r\n# two lines\r\nfrom,n\r\n07:00,3\r\n');
});

const row = (start, label, count, more = {}) => ({
  start_s: start, end_s: start + 900, start_time: `t${start}`, end_time: `t${start + 900}`, covered_s: 900,
  kind: "line", name: "north", direction: "up", group: "cars", label, count, ...more,
});

test("intervals are rows by line and direction, classes are columns, totals add up", () => {
  const counts = [
    row(0, "car", 3), row(0, "truck", 1), row(0, "car", 2, { direction: "down" }), row(0, "car", 9, { kind: "unique", name: "" }),
    row(900, "car", 5), row(900, "truck", 0), row(900, "car", 0, { direction: "down" }),
  ];
  const table = tabulate(counts, { labels: ["car", "truck", "person"] });

  assert.deepEqual(table.labels, ["car", "truck"]);
  assert.deepEqual(table.rows.map((r) => [r.start_s, r.direction, r.by, r.total]), [
    [0, "up", { car: 3, truck: 1 }, 4], [0, "down", { car: 2 }, 2], [900, "up", { car: 5, truck: 0 }, 5], [900, "down", { car: 0 }, 0],
  ]);
  assert.deepEqual(table.totals.map((s) => [s.direction, s.by, s.total]), [["up", { car: 8, truck: 1 }, 9], ["down", { car: 2 }, 2]]);
  assert.equal(table.peak, null);
});

test("without a line unique objects are counted; hidden classes are left out", () => {
  const counts = [row(0, "car", 4, { kind: "unique", name: "" }), row(0, "person", 7, { kind: "unique", name: "" })];
  const table = tabulate(counts, { labels: ["car"] });

  assert.deepEqual(table.rows.map((r) => [r.kind, r.by, r.total]), [["unique", { car: 4 }, 4]]);
});

test("one line of several", () => {
  const table = tabulate([row(0, "car", 4), row(0, "car", 1, { name: "south" })], { name: "south", labels: ["car"] });

  assert.deepEqual(table.totals.map((s) => [s.name, s.total]), [["south", 1]]);
});

const bins = (counts, size = 900, from = 0) => counts.map((count, i) => ({ start_s: from + i * size, end_s: from + (i + 1) * size, start_time: `${i}`, end_time: `${i + 1}`, count }));

test("the peak hour is the busiest hour of whole bins, the first of equals", () => {
  assert.deepEqual(busiest(bins([1, 2, 3, 4, 5, 1])), { start_s: 900, end_s: 4500, start_time: "1", end_time: "5", count: 14 });
  assert.equal(busiest(bins([2, 2, 2, 2, 2])).start_s, 0);
  assert.equal(busiest(bins([9, 9, 9])), null);
  assert.equal(busiest(bins([0, 0, 0, 0])), null);
  assert.equal(busiest(bins([5, 7], 3600, -200)).count, 7);
});

test("who leaves a zone is not counted twice in the peak", () => {
  const hour = [0, 900, 1800, 2700].flatMap((s) => [row(s, "car", 2, { kind: "zone_enter", name: "yard", direction: "" }), row(s, "car", 2, { kind: "zone_exit", name: "yard", direction: "" })]);

  assert.equal(tabulate(hour, { labels: ["car"] }).peak.count, 8);
});

test("bins of the chart begin as the clock has them", () => {
  const quarter = binsOf(1800e6, 900, (7 * 3600 + 200) * 1e6);

  assert.deepEqual(quarter, { begin: -200e6, size: 900e6, n: 3 });
  assert.deepEqual([0, 699e6, 700e6, 1800e6, 9e9].map((us) => binAt(quarter, us)), [0, 0, 1, 2, 2]);
  assert.deepEqual(binsOf(25e6, 60), { begin: 0, size: 60e6, n: 1 });
});

test("a series a line, or a direction of the chosen one", () => {
  const at = (pts_us, direction, more = {}) => ({ kind: "line", name: "north", direction, pts_us, ...more });
  const events = [at(0, "up"), at(1.5e6, "down"), at(1.9e6, "up"), at(0.5e6, "", { kind: "zone_enter", name: "yard" }), at(2.5e6, "", { kind: "zone_exit", name: "yard" })];
  const seconds = binsOf(3e6, 1);
  const drawn = (chosen) => crossings(events, [LINE, ZONE], chosen, seconds).map((s) => [s.title, s.values]);

  assert.deepEqual(drawn(null), [["north", [1, 2, 0]], ["yard", [1, 0, 0]]]);
  assert.deepEqual(drawn("north"), [["north, up", [1, 1, 0]], ["north, down", [0, 1, 0]]]);
  assert.deepEqual(drawn("yard"), [["yard, entered", [1, 0, 0]], ["yard, left", [0, 0, 1]]]);
});

test("in view is the most of each bin, of groups that are shown", () => {
  const overview = { bin_us: 500000, begin_us: 0, groups: [{ group: "cars", in_view: [1, 4, 2, 0] }, { group: "people", in_view: [9, 9, 9, 9] }] };

  assert.deepEqual(inView(overview, new Set(["cars"]), binsOf(2e6, 1)), [{ name: "cars", title: "cars", group: "cars", values: [4, 2] }]);
});

test("numbers in words", () => {
  assert.match(ruleWords({ min_hits: 8, rate: "25/1" }), /matched in 8 frames or more \(25 frames a second/);
  assert.match(ruleWords({ min_hits: 1, rate: 2.5 }), /in 1 frame or more \(2.5 /);
  assert.deepEqual([0.0153, -0.02, 0, -0.0001, null].map(percent), ["+1.5 %", "\u22122.0 %", "0.0 %", "0.0 %", "none to compare"]);
  assert.deepEqual([verifiedWords(1132, { verified: 1130 }), verifiedWords(7, null)], ["1,132, verified 1,130", "7"]);
  assert.equal(lostWords({ first_frame: 10, last_frame: 12, start_us: 400000, end_us: 520000, outcome: "failed", reason: "decode" }), "Frames 10 to 12, at 0:00.4: failed, decode");
});

test("movements are columns by where they come from, intervals are rows", () => {
  const movements = [{ from: "north", to: "south", turn: "through" }, { from: "north", to: "west", turn: "right" }, { from: "west", to: "north", turn: "left" }];
  const at = (start_s, from, to, count, heavy) => ({ start_s, end_s: start_s + 900, start_time: "a", end_time: "b", covered_s: 900, from, to, count, heavy });
  const rows = byInterval(movements, [at(0, "north", "south", 3, 1), at(0, "west", "north", 2, 0), at(900, "north", "west", 4, 4)]);

  assert.deepEqual(rows.map(({ counts, total, heavy }) => [counts, total, heavy]), [[[3, 0, 2], 5, 1], [[0, 4, 0], 4, 4]]);
  assert.deepEqual(heads(movements), [{ from: "north", n: 2 }, { from: "west", n: 1 }]);
});

test("what was published comes first, what is made when asked for last", () => {
  const file = (path, format, bytes) => ({ path, format, bytes, use: "u", link: `/${path}` });
  const listed = filesOf({
    files: [file("run.json", null, 5), file("tracks.csv", "csv", 10), file("detections.csv", "csv", 20)],
    formats: [{ format: "csv", use: "rows", files: ["detections.csv", "tracks.csv"], link: "/csv" }, { format: "coco", use: "c", files: [], link: "/coco" }],
  }, "id");

  assert.deepEqual(listed.map(({ name, size }) => [name, size]), [["csv", 30], ["run.json", 5], ["verdicts.json", null], ["geometry.json", null], ["coco", null]]);
  assert.equal(listed[0].use, "rows; 2 files as a ZIP");
});

test("why there are no numbers", () => {
  const words = (state, tracked) => waiting({ state, tracked });

  assert.equal(words("ready", true), "");
  assert.match(words("ready", false), /no tracks/);
  assert.match(words("processing", true), /Numbers come when/);
  assert.match(words("cancelled", false), /is cancelled: nothing was counted/);
});

test("petals point where objects went, and their areas are how many", () => {
  const rose = { up: 0, "up-right": 0, right: 16, "down-right": 0, down: 4, "down-left": 0, left: 0, "up-left": 0 };
  const [right, down] = petals(rose, 40);

  assert.deepEqual([right.direction, right.n, right.x, right.y], ["right", 16, 52, 0]);
  assert.deepEqual([down.direction, down.n, down.x, down.y], ["down", 4, 0, 32]);
  assert.match(right.d, /^M0 0L[\d.]+ -[\d.]+A40 40 0 0 1 [\d.]+ [\d.]+Z$/);
  assert.match(down.d, /A20 20 /);
  assert.equal(roseWords(rose), "right 16, down 4");
  assert.equal(headed(rose), 20);
  assert.deepEqual(petals({}, 40), []);
});

test("a zone of four corners and its sides are a plane, nothing less is", () => {
  const yard = { kind: "zone", name: "yard", points: [[0, 0], [1, 0], [1, 1], [0, 1]], frame: 30 };
  const known = { zone: "yard", sides: ["58", "10.5", "58", "10.5"], diagonal: "" };

  assert.deepEqual(planeOf(known, [LINE, yard]), { points: yard.points, unit: "norm", sides: [58, 10.5, 58, 10.5], frame: 30 });
  assert.equal(planeOf({ ...known, diagonal: "59" }, [yard]).diagonal, 59);
  assert.equal(planeOf({ ...known, sides: ["58", "", "58", "10.5"] }, [yard]), null);
  assert.equal(planeOf({ ...known, sides: ["58", "-1", "58", "10.5"] }, [yard]), null);
  assert.equal(planeOf(known, [ZONE, { ...ZONE, name: "yard" }]), null);
});
