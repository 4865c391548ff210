import assert from "node:assert/strict";
import test from "node:test";

import { shortDuration } from "../src/fields/duration.js";

test("a duration is shown as it may be typed", () => {
  assert.equal(shortDuration(5400), "1h 30m");
  assert.equal(shortDuration(-90_000), "-1d 1h");
  assert.equal(shortDuration(0.5), "0.5s");
});
