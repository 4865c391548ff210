import assert from "node:assert/strict";
import test from "node:test";

import { BLOCK, KEPT_LINES, KEPT_WIDTH, Terminal } from "../src/terminal.js";

function shown(...prints: string[]): string {
  const terminal = new Terminal();
  for (const one of prints) terminal.write(one, "stdout");
  return terminal.text();
}

test("a line break begins a line", () => assert.equal(shown("a\nb"), "a\nb"));
test("prints are joined where they break a line", () => assert.equal(shown("a", "b\nc"), "ab\nc"));
test("a carriage return draws over the line", () => assert.equal(shown("  5%\r 50%\r100%"), "100%"));
test("a shorter text leaves the end of the longer, as a terminal does", () =>
  assert.equal(shown("hello\rHE"), "HEllo"));
test("a carriage return before a line break changes nothing", () => assert.equal(shown("a\r\nb\r", "\nc"), "a\nb\nc"));
test("a backspace goes back one character", () => assert.equal(shown("abc\b\bX"), "aXc"));
test("erasing a line to its end leaves what stands before", () => assert.equal(shown("hello\r\x1b[K"), ""));
test("the cursor goes up, as for nested bars", () => assert.equal(shown("one\ntwo\x1b[A\rONE"), "ONE\ntwo"));
test("colors are left out", () => assert.equal(shown("\x1b[31mred\x1b[0m"), "red"));
test("an escape sequence may come in two prints", () => assert.equal(shown("\x1b[3", "1mred"), "red"));

test("what came by stderr is marked", () => {
  const terminal = new Terminal();
  terminal.write("out\n", "stdout");
  terminal.write("err\n", "stderr");
  assert.deepEqual(
    terminal.lines.slice(0, 2).map(({ text, stderr }) => [text, stderr]),
    [
      ["out", false],
      ["err", true],
    ],
  );
});

test("the oldest lines give way, a block at a time, and are counted", () => {
  const terminal = new Terminal();
  for (let line = 0; line < 3 * KEPT_LINES; line += 1) terminal.write(`${line}\n`, "stdout");
  assert.ok(terminal.lines.length <= KEPT_LINES + BLOCK);
  assert.equal(terminal.dropped % BLOCK, 0);
  assert.equal(terminal.lines[0]?.text, String(terminal.dropped));
  assert.match(terminal.text(), new RegExp(`${3 * KEPT_LINES - 1}\n?$`));
});

test("a megabyte without a break is cut", () => {
  const text = shown("w".repeat(1_000_000));
  assert.ok(text.length <= KEPT_WIDTH);
  assert.ok(text.endsWith("…"));
});

test("a million carriage returns do not slow the page down", () => {
  const terminal = new Terminal();
  for (let at = 0; at < 1000; at += 1) terminal.write("\r50%".repeat(1000), "stdout");
  assert.equal(terminal.text(), "50%");
});
