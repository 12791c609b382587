import assert from "node:assert/strict";
import test from "node:test";
import { between, decodePath, Ground } from "../../src/sightline/page/js/lines/ground.js";

const SIZE = { width: 200, height: 100 };

function file(maps, stretch) {
  const n = maps.length;
  const buffer = new ArrayBuffer(24 + 40 * n + 4);
  const view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("SLCAMERA"));
  view.setUint16(8, 1, true);
  view.setBigInt64(16, BigInt(n), true);
  maps.flat().forEach((value, i) => view.setFloat64(24 + 8 * i, value, true));
  stretch.forEach((value, i) => view.setBigInt64(24 + 32 * n + 8 * i, BigInt(value), true));
  return buffer;
}

/** Every second frame was sampled; numbers begin at 10. */
const FRAMES = { n: 8, frame: Float64Array.of(10, 11, 12, 13, 14, 15, 16, 17), seq: Int32Array.of(-1, 0, -1, 1, -1, 2, -1, 3) };
/** Still, shifted by (20, -10), turned by a quarter and twice as large, and somewhere else. */
const MAPS = [[1, 0, 0, 0], [1, 0, 20, -10], [0, 2, 200, 0], [1, 0, 0, 0]];
const path = decodePath(file(MAPS, [0, 0, 0, 1]));
const ground = new Ground(FRAMES, SIZE, path);
const near = (points, expected) => points.flat().forEach((v, i) => assert.ok(Math.abs(v - expected.flat()[i]) < 1e-12, `${points}`));

test("a path is read as it was written, and nothing else", () => {
  assert.deepEqual([...path.maps], MAPS.flat());
  assert.deepEqual([...path.stretch], [0, 0, 0, 1]);
  assert.throws(() => decodePath(new ArrayBuffer(8)), /no path of a camera/);
});

test("from one frame to another, and back, is where it was", () => {
  const at = ([a, b, x, y], [px, py]) => [a * px - b * py + x, b * px + a * py + y];
  const point = [30, 40];

  near([at(between(path, 0, 2), point)], [[200 - 2 * 40, 2 * 30]]);
  near([at(between(path, 2, 0), at(between(path, 0, 2), point))], [point]);
  near([at(between(path, 2, 1), at(between(path, 1, 2), point))], [point]);
  near([at(between(path, 1, 2), at(between(path, 0, 1), point))], [at(between(path, 0, 2), point)]);
  assert.equal(between(path, 2, 3), null);
});

test("what was drawn on one frame is seen in another where the road is", () => {
  const points = [[0.5, 0.5], [0.25, 0.1]];

  assert.equal(ground.seen(points, undefined, 1), points); // as it was drawn, to the last bit
  near(ground.seen(points, undefined, 3), [[0.6, 0.4], [0.35, 0]]);
  near(ground.seen([[0.6, 0.4], [0.35, 0]], 13, 1), points);
  near(ground.seen(points, undefined, 5), [[0.5, 2], [0.9, 1]]); // (100, 50) is at (100, 200), (50, 10) at (180, 100)
  assert.equal(ground.seen(points, 13, 3), points);
});

test("a frame that was not sampled shows it where it was in the last one that was", () => {
  const points = [[0.5, 0.5]];

  assert.deepEqual(ground.seen(points, undefined, 4), ground.seen(points, undefined, 3));
  assert.deepEqual(ground.seen(points, undefined, 0), points);
});

test("where nothing leads to a frame it is not seen", () => {
  assert.equal(ground.seen([[0.5, 0.5]], undefined, 7), null);
  assert.equal(ground.seen([[0.5, 0.5]], 17, 5), null);
  assert.deepEqual(ground.seen([[0.5, 0.5]], 17, 7), [[0.5, 0.5]]);
  assert.equal(ground.seen([[0.5, 0.5]], 12, 3), null); // of another video: this one has not sampled it
  assert.equal(ground.seen([[0.5, 0.5]], 99, 3), null);
});

test("ways lie where they were gone, and those that nobody can follow are left out", () => {
  const way = [[100, 50, 0], [120, 40, 1], [7, 7, 3]]; // stood still, as seen by the first two

  near(ground.followed(way, 3), [[120, 40, 0], [120, 40, 1]]);
  near(ground.followed(way, 5), [[100, 200, 0], [100, 200, 1]]);
  assert.deepEqual(ground.followed(way, 7), [[7, 7, 3]]);
  assert.equal(new Ground(FRAMES, SIZE, null).followed(way, 7), way);
});

test("what is drawn says on which frame, where that matters", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 7].map((row) => ground.drawnOn(row)), [undefined, undefined, undefined, 13, 13, 17]);
  assert.deepEqual([ground.frameOf(undefined), ground.frameOf(13), ground.moves], [11, 13, true]);
});

test("a camera that never moved sees all frames alike; before that is known, a frame may matter", () => {
  const [still, unknown] = [new Ground(FRAMES, SIZE, null), new Ground(FRAMES, SIZE)];
  const points = [[0.5, 0.5]];

  assert.deepEqual([still.drawnOn(3), still.moves, still.seen(points, 12, 5)], [undefined, false, points]);
  assert.deepEqual([unknown.drawnOn(3), unknown.moves, unknown.seen(points, 12, 5)], [13, false, points]);
});
