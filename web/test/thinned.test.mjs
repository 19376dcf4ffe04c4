import assert from "node:assert/strict";
import { test } from "node:test";
import { thinned } from "../src/store/thinned.js";

test("a long curve keeps its beginning, its end and its shape", () => {
  let points = /** @type {[number, number][]} */ ([]);
  for (let update = 0; update < 20_000; update += 20) {
    const more = Array.from(
      { length: 20 },
      (_, k) => /** @type {[number, number]} */ ([update + k, 1]),
    );
    points = thinned([...points, ...more], 500);
    assert.ok(points.length <= 500);
  }
  assert.deepEqual(points[0], [0, 1]);
  assert.equal(points.at(-1)?.[0], 19_999);
  const gaps = points.slice(1).map(([update], k) => update - points[k][0]);
  assert.ok(Math.max(...gaps) <= 4 * (20_000 / 500));
  assert.ok(gaps.every((gap) => gap > 0));
});

test("a short one is as it was", () => {
  assert.deepEqual(
    thinned(
      [
        [0, 3],
        [7, 2],
      ],
      2,
    ),
    [
      [0, 3],
      [7, 2],
    ],
  );
});
