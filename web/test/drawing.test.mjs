import assert from "node:assert/strict";
import test from "node:test";
import { contour, project } from "../src/charts/contour.js";
import { brushed, stroked } from "../src/panel/brush.js";

test("a plane that rises to the right is crossed by a vertical line", () => {
  const values = [0, 1, 2, 0, 1, 2, 0, 1, 2];
  const segments = contour(values, 3, 0.5);
  assert.equal(segments.length, 2);
  for (const [x1, , x2] of segments) {
    assert.deepEqual([x1, x2], [0.5, 0.5]);
  }
  assert.equal(project(5, ["x", 0, 10], 300), 150);
});

test("the brush darkens where it is, never beyond 1, and a fast stroke has no holes", () => {
  const blank = Array(64).fill(0);
  const dot = brushed(blank, 8, { x: 2.5, y: 2.5 }, 0.5, false);
  assert.equal(dot[2 * 8 + 2], 1);
  assert.equal(dot[0], 0);
  const line = stroked(blank, 8, { x: 0.5, y: 4.5 }, { x: 7.5, y: 4.5 }, 0.5, false);
  assert.ok(line.slice(32, 40).every((pixel) => pixel > 0.5 && pixel <= 1));
  assert.ok(brushed(dot, 8, { x: 2.5, y: 2.5 }, 0.5, true)[2 * 8 + 2] < 0.01);
});
