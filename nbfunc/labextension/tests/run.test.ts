import assert from "node:assert/strict";
import test from "node:test";

import { KEPT_OUTPUTS, Run } from "../src/run.js";

const text = { kind: "output", output: { kind: "text", text: "x" } } as const;

test("a run is folded from its events", () => {
  let now = 1000;
  const run = new Run("r", {}, () => now);
  run.apply({ kind: "queued", position: 2 });
  assert.equal(run.position, 2);
  assert.ok(run.live);
  run.apply({ kind: "started" });
  assert.equal(run.state, "running");
  run.apply({ kind: "printed", stream: "stdout", text: "hello\n" });
  run.apply({ kind: "progress", done: 1, total: 4 });
  assert.deepEqual(run.progress, { done: 1, total: 4, text: "" });
  now = 3500;
  run.apply(text);
  run.apply({ kind: "finished" });
  assert.equal(run.state, "finished");
  assert.equal(run.elapsed, 2.5);
  assert.equal(run.progress, null);
  assert.match(run.terminal.text(), /hello/);
});

test("a run that is read again after a reload keeps its times", () => {
  const run = new Run("r", { started: 0, ended: 4000 }, () => 99_000);
  run.apply({ kind: "started" });
  run.apply({ kind: "cancelled" });
  assert.equal(run.elapsed, 4);
});

test("a failure keeps the outputs so far", () => {
  const run = new Run("r");
  run.apply(text);
  run.apply({ kind: "failed", type: "ValueError", message: "no" });
  assert.equal(run.outputs.length, 1);
  assert.equal(run.error?.type, "ValueError");
});

test("a function that yields for ever fills no memory", () => {
  const run = new Run("r");
  for (let at = 0; at < KEPT_OUTPUTS + 5; at += 1) run.apply(text);
  assert.equal(run.outputs.length, KEPT_OUTPUTS);
  assert.equal(run.overflow, 5);
});
