import assert from "node:assert/strict";
import test from "node:test";

import { speak, t } from "../src/words.js";

test("a text is English until somebody translates it", () => {
  assert.equal(t`Move ${"a"} up, ${2} times`, "Move a up, 2 times");
  speak((text, ...values) => `${text.toUpperCase()} ${values.join("+")}`);
  assert.equal(t`Move ${"a"} up`, "MOVE %1 UP a");
});
