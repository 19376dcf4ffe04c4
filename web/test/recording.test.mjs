import assert from "node:assert/strict";
import test from "node:test";
import { distance, nearest } from "../src/connection/recording.js";

const why = { do: "why", wrt: "w1", view: "board", names: "lecture", digits: 5 };

test("the same request is found whatever the order of its fields", () => {
  assert.equal(
    distance(why, { digits: 5, names: "lecture", view: "board", wrt: "w1", do: "why" }),
    0,
  );
});

test("another number of digits is near, another quantity is another answer", () => {
  assert.equal(distance(why, { ...why, digits: 9 }), 1);
  assert.equal(distance(why, { ...why, wrt: "w2" }), null);
  assert.equal(distance({ do: "select", record: 1 }, { do: "select", record: 2 }), null);
});

test("the nearest recorded answer is taken, and none where there is none", () => {
  const replies = [
    { request: why, ok: "board" },
    { request: { ...why, view: "paths" }, ok: "paths" },
  ];
  assert.equal(nearest(replies, { ...why, view: "paths", digits: 2 })?.ok, "paths");
  assert.equal(nearest(replies, { ...why, view: "layer" })?.ok, "board");
  assert.equal(nearest(replies, { do: "edit", change: {} }), null);
});
