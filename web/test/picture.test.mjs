import assert from "node:assert/strict";
import test from "node:test";
import { detailOf, labelled, line, placed, strokeOf } from "../src/picture/columns.js";

/** @param {number[]} sizes */
function scene(sizes) {
  const layers = sizes.map((count, layer) => ({
    layer,
    title: "",
    first: 1,
    count,
    folded: false,
    units: Array.from({ length: count }, (_, place) => ({
      id: `${layer}:${place}`,
      kind: layer ? "unit" : "input",
      sum: layer ? 1 : null,
    })),
  }));
  const weights = layers.slice(1).flatMap(({ units }, before) =>
    units.flatMap((to) =>
      layers[before].units.map((from) => ({
        id: `${from.id}-${to.id}`,
        from: from.id,
        to: to.id,
      })),
    ),
  );
  return /** @type {any} */ ({ layout: "layers", layers, weights, loss: {} });
}

const WIDE = { width: 860, height: 520 };
const NARROW = { width: 390, height: 480 };

test("no two units cover each other, whatever the size and the window", () => {
  for (const sizes of [
    [2, 2, 2],
    [1, 12, 1],
    [40, 3, 40],
    [64, 32, 10],
  ]) {
    for (const window of [WIDE, NARROW]) {
      const boxes = [...placed(scene(sizes), window).boxes.values()];
      boxes.forEach((box, place) => {
        for (const other of boxes.slice(place + 1)) {
          const apart =
            Math.abs(box.x - other.x) >= (box.width + other.width) / 2 ||
            Math.abs(box.y - other.y) >= (box.height + other.height) / 2;
          assert.ok(apart, `${sizes}`);
        }
      });
    }
  }
});

test("everything lies inside the bounds", () => {
  for (const window of [WIDE, NARROW]) {
    const { boxes, loss, left, top, width, height } = placed(scene([2, 4, 1]), window);
    for (const box of [...boxes.values(), loss]) {
      assert.ok(box.x - box.width / 2 >= left && box.x + box.width / 2 <= left + width);
      assert.ok(box.y - box.height / 2 >= top && box.y + box.height / 2 <= top + height);
    }
  }
});

test("a narrow window stands the picture upright", () => {
  assert.equal(placed(scene([2, 2, 2]), WIDE).upright, false);
  assert.equal(placed(scene([2, 2, 2]), NARROW).upright, true);
});

test("small networks are written out, large ones become dots", () => {
  assert.equal(detailOf(scene([2, 2, 2])), "full");
  assert.equal(detailOf(scene([2, 8, 1])), "values");
  assert.equal(detailOf(scene([40, 40])), "dots");
});

test("labels of crossing weights do not cover each other", () => {
  const boxes = [0, 1].map((row) => ({ x: 0, y: 200 * row, width: 80, height: 44 }));
  const ends = [0, 1].map((row) => ({ x: 300, y: 200 * row, width: 80, height: 44 }));
  const lines = boxes.flatMap((from) => ends.map((to) => line(from, to, false)));
  const places = labelled(lines, { width: 100, height: 40 }, false);
  assert.ok(places.every(Boolean));
  const far = /** @type {{ x: number, y: number }[]} */ (places);
  far.forEach((one, place) =>
    far
      .slice(place + 1)
      .forEach((other) =>
        assert.ok(Math.abs(one.x - other.x) >= 100 || Math.abs(one.y - other.y) >= 40),
      ),
  );
});

test("a larger weight is wider, and a number that is none has a line, too", () => {
  assert.ok(strokeOf(2, 2) > strokeOf(1, 2));
  assert.equal(strokeOf(NaN, 2), 1);
});
