import assert from "node:assert/strict";
import test from "node:test";
import { classesOf, HUES, markOf, SHAPES } from "../../src/sightline/page/js/job/classes.js";
import { HEIGHT, placed } from "../../src/sightline/page/js/job/labels.js";

const stage = { width: 1000, height: 600 };
const overlap = ([ax, ay, aw], [bx, by, bw]) => ax < bx + bw && bx < ax + aw && ay < by + HEIGHT && by < ay + HEIGHT;

test("a label stands above its box", () => {
  assert.deepEqual(placed([100, 100, 150, 140], 60, stage, []), [99, 100 - HEIGHT - 2]);
});

test("labels of boxes in one place cover each other only when there is no room around them", () => {
  const taken = [];
  for (let i = 0; i < 4; i++) taken.push([...placed([300, 300, 340, 330], 60, stage, taken), 60]);

  for (const a of taken) for (const b of taken) assert.ok(a === b || !overlap(a, b), `${a} and ${b}`);
});

test("a label is never outside the stage", () => {
  for (const box of [[-30, -20, 5, 5], [990, 590, 1100, 700], [-5, 590, 1005, 610]]) {
    const [x, y] = placed(box, 80, stage, []);

    assert.ok(x >= 0 && y >= 0 && x + 80 <= stage.width && y + HEIGHT <= stage.height, `${x}, ${y}`);
  }
});

test("classes of the field have hues of their own", () => {
  assert.deepEqual(HUES.map((name) => markOf(name)), HUES.map((colour, i) => ({ colour, shape: SHAPES[i] })));
  assert.deepEqual(markOf("Pedestrian"), markOf("person"));
});

test("any label has a mark, always the same, and a model of eighty uses them all", () => {
  const labels = Array.from({ length: 80 }, (_, i) => `label ${i}`);
  const marks = labels.map(markOf);

  assert.deepEqual(labels.map(markOf), marks);
  assert.equal(new Set(marks.map(({ colour }) => colour)).size, 6);
  assert.equal(new Set(marks.map(({ shape }) => shape)).size, 6);
});

test("classes of a job name group and mark", () => {
  assert.deepEqual(classesOf([{ name: "cars", labels: [{ class_id: 2, label: "car" }] }]), [{ group: "cars", label: "car", class_id: 2, colour: "car", shape: "square" }]);
});
