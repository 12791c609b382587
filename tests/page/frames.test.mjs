import assert from "node:assert/strict";
import test from "node:test";
import { decodeFrames, rowAt } from "../../src/sightline/page/js/job/frames.js";

function index(pts, { mediaStart = 0n, seq = pts.map((_, i) => i), failed = [] } = {}) {
  const n = pts.length;
  const buffer = new ArrayBuffer(40 + 21 * n);
  const view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("SLFRAMES"));
  view.setUint32(8, 1, true);
  [BigInt(n), mediaStart, BigInt(pts.at(-1) ?? 0)].forEach((value, i) => view.setBigInt64(16 + 8 * i, value, true));
  pts.forEach((value, i) => {
    view.setBigInt64(40 + 8 * i, BigInt(value), true);
    view.setBigInt64(40 + 8 * n + 8 * i, BigInt(i), true);
    view.setInt32(40 + 16 * n + 4 * i, seq[i], true);
    view.setUint8(40 + 20 * n + i, failed.includes(i) ? 1 : 0);
  });
  return buffer;
}

test("an index is read as it was written", () => {
  const frames = decodeFrames(index([0, 33333, 66667], { mediaStart: 1400000n, seq: [0, -1, 1], failed: [1] }));

  assert.deepEqual([frames.n, frames.mediaStart, frames.duration], [3, 1400000, 66667]);
  assert.deepEqual([...frames.pts], [0, 33333, 66667]);
  assert.deepEqual([...frames.seq], [0, -1, 1]);
  assert.deepEqual([...frames.failed], [0, 1, 0]);
});

test("something else is refused", () => {
  assert.throws(() => decodeFrames(new ArrayBuffer(8)), /no frames/);
});

test("the row of a time is the last that has begun, whatever a player rounds", () => {
  const pts = Float64Array.of(0, 33367, 66733, 200000);

  assert.deepEqual([0, 33366, 33367, 66000, 199000, 200000, 9e9, -5].map((us) => rowAt(pts, us)), [0, 1, 1, 1, 2, 3, 3, 0]);
});
