import assert from "node:assert/strict";
import test from "node:test";

import { encode, kindOf, same } from "../src/schema.js";

test("an integer beyond 2^53 keeps its digits", () =>
  assert.equal(encode({ a: [12345678901234567890n] }), '{"a":[12345678901234567890]}'));

test("true and 1, and their order in a list, are different values", () => {
  assert.ok(!same(true, 1));
  assert.ok(!same([1, 2], [2, 1]));
  assert.ok(same({ a: [null] }, { a: [null] }));
});

test("plain JSON Schema has a field too", () => {
  assert.equal(kindOf({ type: "integer" }), "number");
  assert.equal(kindOf({ enum: [1] }), "choice");
  assert.equal(kindOf({ anyOf: [{ type: "string" }, { type: "null" }] }), "optional");
  assert.equal(kindOf({ type: "object", properties: {} }), "group");
  assert.equal(kindOf({ type: "object", additionalProperties: { type: "string" } }), "dict");
});
