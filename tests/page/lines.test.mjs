import assert from "node:assert/strict";
import test from "node:test";
import { encloses, isSeen, parse, wrongOf } from "../../src/sightline/page/js/lines/checks.js";
import { arrow, distance, drawnOn, fromBody, hit, inwards, labelPlace, made, moved, nextName, ordered, pointsOf, reversed, short, toBody, toText } from "../../src/sightline/page/js/lines/geometry.js";
import { History } from "../../src/sightline/page/js/lines/history.js";
import { rowOf, rowsInSight, scrolledTo } from "../../src/sightline/page/js/lines/windowed.js";

const SIZE = { width: 1280, height: 720 };
const NORTH = { kind: "line", name: "north", a: [0.1, 0.5], b: [0.9, 0.5], in: "northbound", out: "out" };
const YARD = { kind: "zone", name: "yard", points: [[0.2, 0.2], [0.8, 0.2], [0.8, 0.7]] };
const seen = (shape) => pointsOf(shape).map(([x, y]) => [x * 1000, y * 500]);

test("what is drawn is what the service stores, and the other way round", () => {
  const body = toBody([YARD, NORTH]);

  assert.deepEqual(body, { lines: [{ name: "north", a: [0.1, 0.5], b: [0.9, 0.5], in: "northbound" }], zones: [{ name: "yard", points: YARD.points }] });
  assert.deepEqual(fromBody(body), [NORTH, YARD]);
  assert.deepEqual(ordered([YARD, NORTH]), [NORTH, YARD]);
});

test("a shape says on which frame it was drawn, where that is not the first one", () => {
  const [line, zone] = [drawnOn(NORTH, 120), drawnOn(YARD, 0)];
  const body = toBody([line, zone]);

  assert.deepEqual([body.lines[0].frame, body.zones[0].frame], [120, 0]);
  assert.deepEqual(fromBody(body), [line, zone]);
  assert.deepEqual(parse(toText([line, zone]), null).shapes, [line, zone]);
  assert.deepEqual(parse(JSON.stringify({ frame: 7, lines: [{ name: "a", a: [0, 0], b: [1, 1] }, { name: "b", a: [0, 0], b: [1, 1], frame: 9 }] }), null).shapes.map((s) => s.frame), [7, 9]);
  assert.deepEqual([drawnOn(line, undefined), reversed(line).frame], [NORTH, 120]);
});

test("of a long name the picture has its beginning, and no half of a character", () => {
  assert.equal(short("Müllerstraße, north arm"), "Müllerstraße, north arm");
  assert.equal(short("x".repeat(32)), "x".repeat(32));
  assert.equal(short("🚗".repeat(100)), `${"🚗".repeat(31)}…`);
});

test("the text of a file is read again as it was", () => {
  assert.deepEqual(parse(toText([NORTH, YARD]), null).shapes, [NORTH, YARD]);
  assert.deepEqual(JSON.parse(toText([])), { lines: [], zones: [] });
});

test("a file may be a list, in pixels, and for a video", () => {
  const text = JSON.stringify([{ name: "a", a: [0, 360], b: [1280, 360], unit: "px", video: "gate-*" }, { name: "z", points: [[0, 0], [1, 0], [1, 1]] }]);

  assert.deepEqual(parse(text, SIZE).shapes, [{ kind: "line", name: "a", a: [0, 0.5], b: [1, 0.5], in: "in", out: "out" }, { kind: "zone", name: "z", points: [[0, 0], [1, 0], [1, 1]] }]);
  assert.match(parse(text, null).wrong, /size of the picture is not known/);
});

test("what is no geometry is said in words, with its place", () => {
  const line = { name: "a", a: [0, 0], b: [1, 1] };
  const wrong = (value) => parse(typeof value === "string" ? value : JSON.stringify(value), SIZE).wrong;
  const zone = (points) => ({ zones: [{ name: "z", points }] });

  assert.match(wrong("{"), /not JSON/);
  assert.match(wrong("3"), /an object with "lines"/i);
  assert.match(wrong({ line: [] }), /Unknown key “line”/);
  assert.match(wrong({ lines: {} }), /“lines” is a list/);
  assert.match(wrong({ lines: [line, 3] }), /Line 2 is no object/);
  assert.match(wrong({ lines: [{ name: "a", a: [0, 0] }] }), /Line 1 has no “b”/);
  assert.match(wrong([{ ...line, colour: "red" }]), /Entry 1: unknown key “colour”/);
  assert.match(wrong([{ ...line, name: 3 }]), /“name” is a text/);
  assert.match(wrong([{ ...line, a: [0, "1"] }]), /pairs of numbers/);
  assert.match(wrong([{ ...line, unit: "cm" }]), /norm .* or px/);
  for (const frame of [-1, 1.5, "7", true]) assert.match(wrong([{ ...line, frame }]), /“frame” is the number of a frame/);
  assert.match(wrong([line, line]), /“a” is there twice/);
  assert.match(wrong([{ ...line, name: " " }]), /no name/);
  assert.match(wrong([{ ...line, name: "x".repeat(101) }]), /longer than 100/);
  assert.match(wrong([{ ...line, in: "out" }]), /Both directions are called “out”/);
  assert.match(wrong([{ ...line, in: " " }]), /A direction has no name/);
  assert.match(wrong([{ ...line, b: [0, 0] }]), /both ends are one point/);
  assert.match(wrong([{ ...line, a: [2, 0], b: [2, 1] }]), /outside the picture/);
  assert.match(wrong([{ ...line, b: [640, 360] }]), /coordinates are 0 to 1/);
  assert.match(wrong(zone([[0, 0], [1, 1], [0, 0]])), /three different points/);
  assert.match(wrong(zone([[0, 0], [0.5, 0.5], [1, 1]])), /lie on one line/);
  assert.match(wrong(zone([[2, 2], [3, 2], [3, 3]])), /outside the picture/);
});

test("a shape may reach beyond the picture, or around it", () => {
  assert.equal(wrongOf([{ ...NORTH, a: [-0.5, 0.5] }, { kind: "zone", name: "all", points: [[-1, -1], [2, -1], [2, 2], [-1, 2]] }]), null);
  assert.deepEqual([isSeen("line", [[-1, 0.5], [2, 0.5]]), isSeen("line", [[-1, -0.5], [2, -0.5]]), isSeen("zone", [[2, 0], [3, 0], [3, 1]])], [true, false, false]);
  assert.equal(encloses(YARD.points, [0.7, 0.3]), true);
  assert.equal(encloses(YARD.points, [0.3, 0.6]), false);
});

test("names are the next that are free", () => {
  assert.equal(nextName([], "line"), "Line 1");
  assert.equal(nextName([made("line", "Line 1", [[0, 0], [1, 1]]), made("zone", "Line 2", [[0, 0], [1, 1], [1, 0]])], "line"), "Line 3");
});

test("the arrow of a line points to the right of the way from a to b", () => {
  assert.deepEqual(inwards([0, 0], [10, 0]).map((v) => Math.round(v) + 0), [0, 1]); // drawn to the right: in is below
  assert.deepEqual(inwards([0, 0], [0, 10]).map((v) => Math.round(v) + 0), [-1, 0]); // drawn downwards: in is to the left of the screen
  const found = arrow([100, 100], [200, 100]);
  assert.deepEqual([found.from, found.to, found.in, found.out], [[150, 100], [150, 126], [150, 142], [150, 76]]);
  assert.equal(arrow([0, 0], [3, 3]), null);
});

test("reversed, in and out change sides", () => {
  assert.deepEqual(reversed(NORTH), { ...NORTH, a: [0.9, 0.5], b: [0.1, 0.5] });
});

test("a place hits the nearest outline, not the inside of a zone", () => {
  assert.equal(hit([NORTH, YARD], [500, 253], seen, 9), NORTH);
  assert.equal(hit([NORTH, YARD], [500, 104], seen, 9), YARD);
  assert.equal(hit([NORTH, YARD], [700, 180], seen, 9), null);
  assert.equal(hit([NORTH, YARD], [500, 253], () => [], 9), null);
  assert.equal(distance([5, 5], [0, 0], [10, 0]), 5);
  assert.equal(distance([13, 4], [0, 0], [10, 0]), 5);
  assert.equal(distance([3, 4], [0, 0], [0, 0]), 5);
});

test("a shape that is moved keeps its form at the edge of the picture", () => {
  const near = (points, expected) => points.flat().forEach((v, i) => assert.ok(Math.abs(v - expected.flat()[i]) < 1e-12, `${points}`));

  near(moved([[0.1, 0.5], [0.9, 0.5]], [0.3, 0.2]), [[0.2, 0.7], [1, 0.7]]);
  near(moved([[-0.5, 0.5], [0.5, 0.5]], [-0.2, -0.9]), [[-0.5, 0], [0.5, 0]]);
});

test("names stand on the picture, and on no other name", () => {
  const room = { width: 1000, height: 500 };
  const first = labelPlace([[0, 2], [300, 2]], 40, room, []);
  const second = labelPlace([[0, 2], [300, 2]], 40, room, [{ x: first[0], y: first[1], half: 40 }]);

  assert.ok(first[0] >= 40 && first[1] >= 12);
  assert.ok(Math.abs(first[1] - second[1]) >= 20);
});

test("history takes back and brings back; keys held down are one step", () => {
  const history = new History();
  const [none, one, two] = [[], [NORTH], [NORTH, YARD]];
  history.record(none);
  history.record(one, "nudge", 1000);
  history.record(one, "nudge", 1500);

  assert.equal(history.undo(two), one);
  assert.equal(history.undo(one), none);
  assert.equal(history.undo(none), null);
  assert.equal(history.redo(none), one);
  assert.equal(history.redo(one), two);
  assert.equal(history.redo(two), null);
  history.undo(two);
  history.record(one);
  assert.equal(history.redo(one), null); // a new change ends what was taken back
});

test("a long list has the rows in sight, some more, and the chosen one", () => {
  assert.deepEqual(rowsInSight(3, 30, 0, 300, -1), [0, 1, 2]);
  const rows = rowsInSight(20000, 30, 30000, 300, 7);
  assert.deepEqual([rows[0], rows[1], rows.at(-1)], [7, 994, 1015]);
  assert.equal(rowsInSight(20000, 30, 0, 300, 19999).at(-1), 19999);
  assert.deepEqual(rowsInSight(0, 30, 0, 300, 5), []);
  assert.deepEqual([scrolledTo(2, 30, 90, 300), scrolledTo(20, 30, 90, 300), scrolledTo(5, 30, 90, 300)], [60, 330, 90]);
});

test("keys lead through a list and stop at its ends", () => {
  assert.deepEqual(["ArrowUp", "ArrowDown", "PageDown", "Home", "End", "x"].map((key) => rowOf(key, 1, 9, 5)), [0, 2, 6, 0, 8, null]);
  assert.equal(rowOf("ArrowUp", -1, 9, 5), 0);
  assert.equal(rowOf("End", 0, 0, 5), null);
});
