import assert from "node:assert/strict";
import test from "node:test";
import { editable, shown, snapped, stepFor, toNumber, typed } from "../src/parts/numbers.js";

test("numbers show as many digits as asked, and no more than there are", () => {
  assert.equal(shown(0.60109, { digits: 4 }), "0.6011");
  assert.equal(shown(0.41000000000000003, { digits: 5 }), "0.41");
  assert.equal(shown(0.25, { digits: 5 }), "0.25");
  assert.equal(shown(30, { digits: 5 }), "30");
  assert.equal(shown(0.99999, { digits: 2 }), "1.00");
});

test("signs, commas and what JSON cannot write", () => {
  assert.equal(shown(-0.5), "−0.5");
  assert.equal(shown(0.5, { sign: true }), "+0.5");
  assert.equal(shown(0, { sign: true }), "0");
  assert.equal(shown(0.5, { comma: true }), "0,5");
  assert.equal(shown("nan"), "NaN");
  assert.equal(shown("-inf"), "−∞");
  assert.equal(shown(null), "–");
});

test("very small and very large numbers get an exponent", () => {
  assert.equal(shown(1.46e-16, { digits: 4 }), "1.46·10⁻¹⁶");
  assert.equal(shown(-2.5e7, { digits: 1 }), "−2.5·10⁷");
});

test("typed numbers may have either decimal sign, and rubbish is none", () => {
  assert.equal(typed("0,25"), 0.25);
  assert.equal(typed(" −1.5 "), -1.5);
  assert.equal(typed("1e-3"), 0.001);
  for (const rubbish of ["", "-", "1.2.3", "0x10", "Infinity", "1e999", "alert(1)"]) {
    assert.equal(typed(rubbish), null, rubbish);
  }
});

test("a dragged number moves in steps that fit it", () => {
  assert.equal(stepFor(0.5), 0.01);
  assert.equal(stepFor(30), 1);
  assert.equal(stepFor(0), 0.01);
  assert.equal(snapped(0.1 + 0.2, 0.01), 0.3);
  assert.equal(editable(0.1 + 0.2, true), "0,3");
  assert.equal(toNumber("inf"), Infinity);
});
