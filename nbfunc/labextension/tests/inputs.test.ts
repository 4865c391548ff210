import assert from "node:assert/strict";
import test from "node:test";

import { fullHex, parseNumber, shortDuration } from "../src/fields/inputs.js";

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

test("a short color becomes a long one", () => {
  assert.equal(fullHex("#abc"), "#aabbcc");
  assert.equal(fullHex("1E90FF"), "#1e90ff");
  assert.equal(fullHex("blue"), null);
  assert.equal(fullHex("#abcd"), null);
});

test("a duration is shown as it may be typed", () => {
  assert.equal(shortDuration(5400), "1h 30m");
  assert.equal(shortDuration(-90_000), "-1d 1h");
  assert.equal(shortDuration(0.5), "0.5s");
});
