import assert from "node:assert/strict";
import test from "node:test";

import { FrameParser, type Frame } from "../src/events.js";

function frames(...pieces: string[]): Frame[] {
  const parser = new FrameParser();
  return pieces.flatMap((piece) => [...parser.feed(piece)]);
}

test("a frame has its number, its kind and its data", () =>
  assert.deepEqual(frames('id: 3\nevent: started\ndata: {"a":1}\n\n'), [{ id: "3", event: "started", data: '{"a":1}' }]));

test("a frame may come a character at a time", () => {
  const text = "event: printed\r\ndata: x\r\ndata: y\r\n\r\n";
  assert.deepEqual(frames(...Array.from(text)), [{ id: "", event: "printed", data: "x\ny" }]);
});

test("comments, and frames without data, say nothing", () => assert.deepEqual(frames(":\n\n", "event: x\n\n"), []));

test("a frame that is not whole waits", () => {
  assert.deepEqual(frames("data: x\n"), []);
  assert.equal(frames("data: x\n", "\n").length, 1);
});

test("one space after the colon belongs to the format, a second to the value", () =>
  assert.deepEqual(frames("data:  x\n\n")[0]?.data, " x"));
