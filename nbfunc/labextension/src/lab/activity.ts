/** The runs that go on, wherever they were started, and the word that one has ended. */

import { Signal, type ISignal } from "@lumino/signaling";

import type { RunRow } from "../api.js";
import type { Server } from "./door.js";

/** Between two questions while something runs, in milliseconds: in view, and while the window is hidden. */
const SOON = 2000;
const LATER = 10_000;

function live({ status }: RunRow): boolean {
  return status === "queued" || status === "running" || status === "cancelling";
}

/** Seconds that a run took. */
export function tookOf({ started, ended }: RunRow): number {
  return started && ended ? (Date.parse(ended) - Date.parse(started)) / 1000 : 0;
}

export class Activity {
  /** Those that go on, the newest first. */
  runs: RunRow[] = [];
  private readonly _changed = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, RunRow>(this);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;

  constructor(private readonly server: Server) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get ended(): ISignal<this, RunRow> {
    return this._ended;
  }

  /** See what runs, and keep looking until nothing does. */
  async look(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    clearTimeout(this.timer);
    const answer = await this.server.api.runs();
    this.asking = false;
    if (answer.ok) {
      const before = new Set(this.runs.map(({ run }) => run));
      this.runs = answer.value.filter(live);
      this._changed.emit();
      for (const row of answer.value) if (before.has(row.run) && !live(row)) this._ended.emit(row);
    }
    if (this.runs.length) this.timer = setTimeout(() => void this.look(), document.hidden ? LATER : SOON);
  }

  async cancel({ run }: RunRow): Promise<void> {
    await this.server.api.cancel(run);
    await this.look();
  }
}
