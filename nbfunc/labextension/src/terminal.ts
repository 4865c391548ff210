/** What a terminal would show of a run's prints: carriage returns redraw, the oldest lines give way. */

export interface Line {
  text: string;
  stderr: boolean;
}

/** Lines that the page keeps of a run; the run's log on the server keeps more. */
export const KEPT_LINES = 5000;
/** Of one line; the rest is counted. Laying out a megabyte without a break holds a browser up for seconds. */
export const KEPT_WIDTH = 10_000;
/** Lines of one block, which is drawn once and then left alone. */
export const BLOCK = 100;

// The escape sequences that programs without a terminal's size still send: colors, erase line, cursor up.
 
const ESCAPE = /^\x1b(?:\[([0-9;?]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/;
const LONGEST_ESCAPE = 64;

export class Terminal {
  readonly lines: Line[] = [];
  /** Lines that gave way. */
  dropped = 0;
  private version = 0;
  /** Of each block, by the number (from the first line ever) of its first line: when it last changed. */
  private readonly changes = new Map<number, number>();
  private row = 0;
  private column = 0;
  private pending = "";

  write(text: string, stream: "stdout" | "stderr"): void {
    this.version += 1;
    const stderr = stream === "stderr";
    let rest = this.pending + text;
    this.pending = "";
    while (rest) {
       
      const at = rest.search(/[\n\r\b\x1b]/);
      if (at !== 0) this.put(at < 0 ? rest : rest.slice(0, at), stderr);
      if (at < 0) break;
      rest = rest.slice(at);
      if (rest.startsWith("\x1b")) {
        const sequence = ESCAPE.exec(rest);
        if (!sequence && rest.length < LONGEST_ESCAPE) {
          // The rest of it comes with the next print.
          this.pending = rest;
          break;
        }
        if (sequence) this.obey(sequence[2] ?? "", Number(sequence[1] ?? "") || 0);
        rest = rest.slice(sequence?.[0].length ?? 1);
        continue;
      }
      if (rest.startsWith("\n")) this.feed();
      else if (rest.startsWith("\r")) this.column = 0;
      else this.column = Math.max(0, this.column - 1);
      rest = rest.slice(1);
    }
  }

  /** Grows when a line of the block changes that starts with line number `first`. */
  versionOf(first: number): number {
    return this.changes.get(first) ?? 0;
  }

  /** The text of all lines that are kept. */
  text(): string {
    return this.lines.map((line) => line.text).join("\n");
  }

  get empty(): boolean {
    return this.lines.length === 0;
  }

  private line(): Line {
    while (this.lines.length <= this.row) this.lines.push({ text: "", stderr: false });
    const line = this.lines[this.row];
    if (!line) throw new RangeError("no such line");
    this.changes.set(Math.floor((this.dropped + this.row) / BLOCK) * BLOCK, this.version);
    return line;
  }

  private put(text: string, stderr: boolean): void {
    const line = this.line();
    const end = this.column + text.length;
    line.stderr = (line.stderr && this.column > 0) || stderr;
    if (this.column < KEPT_WIDTH) {
      const before = line.text.slice(0, this.column).padEnd(this.column);
      line.text = (before + text + line.text.slice(end)).slice(0, KEPT_WIDTH);
    }
    if (end > KEPT_WIDTH && !line.text.endsWith("…")) line.text = line.text.slice(0, KEPT_WIDTH - 1) + "…";
    this.column = end;
  }

  private feed(): void {
    this.line();
    this.row += 1;
    this.column = 0;
    if (this.row < KEPT_LINES + BLOCK) return;
    // A whole block goes at once: the blocks that stay keep their place in the page.
    this.lines.splice(0, BLOCK);
    this.changes.delete(this.dropped);
    this.dropped += BLOCK;
    this.row -= BLOCK;
  }

  private obey(command: string, count: number): void {
    if (command === "A") this.row = Math.max(0, this.row - Math.max(1, count));
    else if (command === "B") this.row += Math.max(1, count);
    else if (command === "C") this.column += Math.max(1, count);
    else if (command === "D") this.column = Math.max(0, this.column - Math.max(1, count));
    else if (command === "G") this.column = Math.max(0, count - 1);
    else if (command === "K") {
      const line = this.line();
      if (count === 0) line.text = line.text.slice(0, this.column);
      else if (count === 2) line.text = "";
    }
  }
}
