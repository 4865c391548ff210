/** A run as this page knows it: its events, folded. */

import type { Failed, FileOutput, Output, RunEvent } from "./events.js";
import type { KeptRun } from "./memory.js";
import { assertNever, type Json } from "./schema.js";
import { Terminal } from "./terminal.js";

export type RunState =
  | "queued"
  | "running"
  | "cancelling"
  | "finished"
  | "failed"
  | "cancelled"
  /** The server does not know it any more. */
  | "forgotten";

export interface Progress {
  done: number;
  total: number | null;
  text: string;
}

/** An output, and when it came: what is left of a file's hour counts from there. */
export interface Shown {
  output: Output;
  received: number;
}

/** Outputs that the page keeps; a function may yield for ever. */
export const KEPT_OUTPUTS = 20_000;

export class Run {
  state: RunState = "queued";
  position = 0;
  readonly terminal = new Terminal();
  progress: Progress | null = null;
  readonly outputs: Shown[] = [];
  /** Outputs that were not kept. */
  overflow = 0;
  error: Failed | null = null;
  /** Milliseconds since the epoch, by this browser's clock. */
  started: number | null;
  ended: number | null;

  /** What the form held, as `Field.keep` has it; null where nobody knows. */
  readonly values: Json;

  constructor(
    readonly id: string,
    known: Partial<Omit<KeptRun, "id">> = {},
    private readonly now: () => number = Date.now,
  ) {
    this.started = known.started ?? null;
    this.ended = known.ended ?? null;
    this.values = known.values ?? null;
  }

  kept(): KeptRun {
    return { id: this.id, started: this.started, ended: this.ended, values: this.values };
  }

  get live(): boolean {
    return this.state === "queued" || this.state === "running" || this.state === "cancelling";
  }

  /** Seconds that the function has taken so far. */
  get elapsed(): number {
    return this.started === null ? 0 : ((this.ended ?? this.now()) - this.started) / 1000;
  }

  get files(): FileOutput[] {
    return this.outputs.flatMap(({ output }) => (output.kind === "file" ? [output] : []));
  }

  apply(event: RunEvent): void {
    switch (event.kind) {
      case "queued":
        this.position = event.position;
        return;
      case "started":
        if (this.state === "queued") this.state = "running";
        this.started ??= this.now();
        return;
      case "printed":
        this.terminal.write(event.text, event.stream);
        return;
      case "progress":
        this.progress = { done: event.done, total: event.total ?? null, text: event.text ?? "" };
        return;
      case "output":
        if (this.outputs.length < KEPT_OUTPUTS) this.outputs.push({ output: event.output, received: this.now() });
        else this.overflow += 1;
        return;
      case "finished":
        this.end("finished");
        return;
      case "failed":
        this.error = event;
        this.end("failed");
        return;
      case "cancelled":
        this.end("cancelled");
        return;
      default:
        assertNever(event);
    }
  }

  cancelling(): void {
    if (this.live) this.state = "cancelling";
  }

  forget(): void {
    this.end("forgotten");
  }

  private end(state: RunState): void {
    this.state = state;
    this.ended ??= this.now();
    this.progress = null;
  }
}
