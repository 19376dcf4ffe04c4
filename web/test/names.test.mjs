import assert from "node:assert/strict";
import test from "node:test";
import { gradientName, inOrder, shortened, split } from "../src/parts/names.js";

test("what follows the bar, or digits at the end, is set low", () => {
  assert.deepEqual(split("sum_h1"), { base: "sum", low: "h1", high: "" });
  assert.deepEqual(split("w12"), { base: "w", low: "12", high: "" });
  assert.deepEqual(split("E"), { base: "E", low: "", high: "" });
  assert.deepEqual(split("z_h1[2]"), { base: "z", low: "h1", high: "(2)" });
  assert.deepEqual(split("0.weight[4,5]"), { base: "0.weight[4,5]", low: "", high: "" });
});

test("a long name keeps its ends", () => {
  const short = shortened("the_shoulder_width_of_a_person", 12);
  assert.ok(short.length <= 12);
  assert.ok(short.startsWith("the_s") && short.endsWith("person"));
  assert.equal(shortened("w1", 12), "w1");
  assert.equal(gradientName("E", "w1"), "∂E/∂w1");
});

test("weights are listed by layer and number, however a scene has them", () => {
  const given = ["w1", "w3", "w2", "w10"].map((name) => ({ name, layer: 1 }));
  const names = inOrder([{ name: "a1", layer: 2 }, ...given]).map(({ name }) => name);
  assert.deepEqual(names, ["w1", "w2", "w3", "w10", "a1"]);
});
