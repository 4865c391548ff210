import assert from "node:assert/strict";
import test from "node:test";

import { isWhen } from "../src/fields/when.js";

for (const [kind, text, good] of [
  ["date", "2024-02-29", true],
  ["date", "2023-02-29", false],
  ["date", "2024-2-9", false],
  ["time", "18:30", true],
  ["time", "18:30:05.25", true],
  ["time", "25:00", false],
  ["time", "12:60", false],
  ["datetime", "2024-02-29T18:30", true],
  ["datetime", "2024-02-30T18:30", false],
] as const) {
  test(`${text} is ${good ? "a" : "no"} ${kind}`, () => {
    assert.equal(isWhen(kind, text), good);
  });
}
