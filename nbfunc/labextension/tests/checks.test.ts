import assert from "node:assert/strict";
import test from "node:test";

import { itemsFault, lengthFault, numberFault, patternFault } from "../src/fields/checks.js";

test("bounds are named", () => {
  assert.equal(numberFault({ minimum: 1, maximum: 5 }, 3), "");
  assert.match(numberFault({ minimum: 1 }, 0), /at least 1/);
  assert.match(numberFault({ exclusiveMaximum: 5 }, 5), /less than 5/);
  assert.match(numberFault({ maximum: 5 }, 12345678901234567890n), /at most 5/);
});

test("0.3 is a multiple of 0.1 to whoever types it", () => {
  assert.equal(numberFault({ multipleOf: 0.1 }, 0.3), "");
  assert.match(numberFault({ multipleOf: 5 }, 12), /multiple of 5/);
});

test("a character beyond the basic plane is one character", () => {
  assert.equal(lengthFault({ maxLength: 2 }, "👍👍"), "");
  assert.match(lengthFault({ maxLength: 1 }, "👍👍"), /it has 2/);
  assert.match(lengthFault({ minLength: 3 }, "👍👍"), /at least 3 characters/);
});

test("a pattern is searched, not anchored", () => {
  assert.equal(patternFault({ pattern: "b" }, "abc"), "");
  assert.notEqual(patternFault({ pattern: "^b" }, "abc"), "");
});

test("Python's own spellings in a pattern are understood, or left to the server", () => {
  assert.equal(patternFault({ pattern: "\\A(?P<year>\\d{4})\\Z" }, "2026"), "");
  assert.notEqual(patternFault({ pattern: "\\A(?P<year>\\d{4})\\Z" }, "x2026"), "");
  assert.equal(patternFault({ pattern: "(?i:x" }, "anything"), "");
  assert.equal(patternFault({ pattern: "^\\w+$" }, "日本語"), "");
});

test("a list says how many it needs", () => {
  assert.match(itemsFault({ minItems: 1 }, 0, "rows"), /at least 1 row\./);
  assert.match(itemsFault({ maxItems: 2 }, 3, "rows"), /at most 2 rows/);
  assert.equal(itemsFault({ minItems: 1, maxItems: 2 }, 2, "rows"), "");
});
