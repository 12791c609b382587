import assert from "node:assert/strict";
import test from "node:test";
import { held, MOST, panned, toPicture, toStage, transformOf, WHOLE, zoomed } from "../../src/sightline/page/js/job/view.js";

const picture = { width: 1920, height: 1080 };
const stage = { width: 960, height: 540 };
const tall = { width: 960, height: 1000 };
const near = (found, wanted) => found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${found} is not ${wanted}`));

test("the whole picture fits the stage", () => {
  near(toStage(WHOLE, picture, stage, [0, 0]), [0, 0]);
  near(toStage(WHOLE, picture, stage, [1, 1]), [960, 540]);
  near(toStage(WHOLE, picture, tall, [0, 0]), [0, 230]);
});

test("a point on the stage is the point of the picture that is shown there", () => {
  const view = { zoom: 5, x: 0.3, y: 0.8 };

  for (const point of [[0, 0], [0.31, 0.77], [1, 1]]) near(toPicture(view, picture, stage, toStage(view, picture, stage, point)), point);
});

test("what lies under the pointer stays there when it is enlarged", () => {
  const pointer = [700, 130];
  const before = toPicture(WHOLE, picture, stage, pointer);
  const view = zoomed(WHOLE, picture, stage, pointer, 6);

  assert.equal(view.zoom, 6);
  near(toPicture(view, picture, stage, pointer), before);
});

test("zoom has ends, and whoever zooms out sees the whole picture in the middle", () => {
  assert.equal(zoomed(WHOLE, picture, stage, [0, 0], 1e9).zoom, MOST);
  assert.deepEqual(zoomed({ zoom: 2, x: 0.25, y: 0.25 }, picture, stage, [0, 0], 0.1), { zoom: 1, x: 0.5, y: 0.5 });
});

test("nobody pans the picture off the stage", () => {
  assert.deepEqual(panned({ zoom: 2, x: 0.5, y: 0.5 }, picture, stage, [1e6, -1e6]), { zoom: 2, x: 0.25, y: 0.75 });
  assert.equal(held({ zoom: 1.5, x: 0.5, y: 0.1 }, picture, tall).y, 0.5);
});

test("an element that fills the stage is moved to where the boxes are", () => {
  const view = { zoom: 4, x: 0.3, y: 0.6 };
  const [, x, y, zoom] = /translate\((.+)px, (.+)px\) scale\((.+)\)/.exec(transformOf(view, picture, tall)).map(Number);
  const unzoomed = toStage(WHOLE, picture, tall, [0.2, 0.9]);

  near([x + zoom * unzoomed[0], y + zoom * unzoomed[1]], toStage(view, picture, tall, [0.2, 0.9]));
});
