import assert from "node:assert/strict";
import test from "node:test";

import { decode, encode, kindOf, pretty, same } from "../src/schema.js";

test("an integer beyond 2^53 keeps its digits", () =>
  assert.equal(encode({ a: [12345678901234567890n] }), '{"a":[12345678901234567890]}'));

test("an integer beyond 2^53 is read digit by digit", () => {
  const text = '{"id":[9223372036854775807,-12345678901234567890,1.5],"n":1,"s":"12345678901234567890"}';
  assert.equal(encode(decode(text) as never), text);
  assert.deepEqual(decode('{"n": 12, "d": 0.1234567890123456789}'), { n: 12, d: 0.1234567890123456789 });
});

test("JSON to be read is indented, whatever is in it", () => {
  assert.equal(pretty({ a: [1, 2n], b: {}, c: [] }), '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {},\n  "c": []\n}');
});

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
