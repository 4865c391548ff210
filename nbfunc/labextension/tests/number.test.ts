import assert from "node:assert/strict";
import test from "node:test";

import { parseNumber } from "../src/fields/number.js";

for (const [text, integer, value] of [
  ["5", true, 5],
  ["-5", true, -5],
  ["1e3", true, 1000],
  ["5.0", true, 5],
  ["5.5", true, undefined],
  ["0x10", true, undefined],
  ["", true, undefined],
  ["9007199254740993", true, 9007199254740993n],
  [".5", false, 0.5],
  ["1e-3", false, 0.001],
  ["1e999", false, undefined],
  ["NaN", false, undefined],
  ["five", false, undefined],
] as const) {
  test(`"${text}" as ${integer ? "a whole number" : "a number"} is ${value}`, () =>
    assert.equal(parseNumber(text, integer), value));
}

test("NaN is a value where the field allows it, as a word", () =>
  assert.equal(parseNumber("NaN", false, ["NaN", "Infinity"]), "NaN"));
