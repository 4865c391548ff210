import assert from "node:assert/strict";
import test from "node:test";

import { fullHex } from "../src/fields/color.js";

test("a short color becomes a long one", () => {
  assert.equal(fullHex("#abc"), "#aabbcc");
  assert.equal(fullHex("1E90FF"), "#1e90ff");
  assert.equal(fullHex("blue"), null);
  assert.equal(fullHex("#abcd"), null);
});
