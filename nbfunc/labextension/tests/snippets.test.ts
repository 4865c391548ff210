import assert from "node:assert/strict";
import test from "node:test";

import { curl, python } from "../src/lab/snippets.js";

test("a quote in a value does not end the shell's word", () =>
  assert.match(curl("http://h/f", { a: "it's" }), /-d '\{"a":"it'\\''s"\}'$/));

test("Python has its own words for true and null", () =>
  assert.match(python("http://h/f", { a: [true, null, 1.5], b: "x" }), /json=\{"a": \[True, None, 1\.5\], "b": "x"\}/));

test("a snippet holds no token", () => assert.match(curl("http://h/f", {}), /token \$JUPYTER_TOKEN/));
