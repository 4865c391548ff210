import assert from "node:assert/strict";
import test from "node:test";

import { Memory } from "../src/memory.js";

/** As much of a Storage as a memory uses. */
function storage(items: Record<string, string> = {}): Storage {
  const kept = new Map(Object.entries(items));
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage;
}

test("what was put in, and the runs, are there after a reload", () => {
  const shelf = storage();
  const runs = [{ id: "a", started: 1, ended: null, values: { tags: ["w"] } }];
  new Memory("form", shelf).write({ values: { tags: ["x"] }, runs });
  assert.deepEqual(new Memory("form", shelf).read(), { values: { tags: ["x"] }, runs });
  assert.equal(new Memory("another", shelf).read(), null);
});

test("what another version or nobody wrote is not read", () => {
  assert.equal(new Memory("form", storage({ form: "{" })).read(), null);
  assert.equal(new Memory("form", storage({ form: "3" })).read(), null);
  assert.deepEqual(new Memory("form", storage({ form: '{"runs": [3]}' })).read(), { values: null, runs: [] });
});

test("a full storage costs the memory, not the form", () => {
  const full = { getItem: () => null, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  new Memory("form", full as unknown as Storage).write({ values: null, runs: [] });
});
