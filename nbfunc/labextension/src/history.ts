/** The runs of one form in this tab, the newest first: followed while they run, remembered over a reload. */

import type { Api, Failure } from "./api.js";
import type { EventStream, Numbered, RunEvent } from "./events.js";
import type { KeptRun } from "./memory.js";
import { Run } from "./run.js";
import { stateText } from "./run-view.js";
import type { Json } from "./schema.js";
import { t } from "./words.js";

/** Runs that a tab keeps of a form. */
const KEPT_RUNS = 10;

/** Who shows the runs. */
export interface HistoryHome {
  redraw(): void;
  /** Announce how a run stands. */
  say(text: string): void;
  /** The runs, or their times, are others now. */
  remember(): void;
  /** Whether the function runs on the notebook's main thread. */
  main(): boolean;
}

export class History {
  runs: Run[];
  private readonly watched = new WeakSet<Run>();
  /** Runs of which something happened while nobody listened: when, the server knows. */
  private readonly missed = new WeakSet<Run>();

  constructor(
    private readonly api: Api,
    private readonly stream: EventStream,
    private readonly home: HistoryHome,
    kept: KeptRun[],
    private readonly signal: AbortSignal,
  ) {
    this.runs = kept.map((one) => new Run(one.id, one));
    for (const run of this.runs) if (run.ended === null) this.missed.add(run);
    const [newest] = this.runs;
    if (newest) this.open(newest);
  }

  /** A run that was just started; `values` are what the form held, `events` what it has said by now. */
  begin(id: string, values: Json, events: Numbered[] = []): void {
    const run = new Run(id, { values });
    this.runs = [run, ...this.runs].slice(0, KEPT_RUNS);
    for (const event of events) run.apply(event);
    this.tell(run);
    if (run.live) this.open(run, events.at(-1)?.n ?? 0);
    else this.watched.add(run);
    this.home.remember();
    this.home.redraw();
  }

  isOpen(run: Run): boolean {
    return this.watched.has(run);
  }

  private tell(run: Run): void {
    this.home.say(run.error ? t`Failed: ${run.error.type}: ${run.error.message}` : this.text(run));
  }

  private text(run: Run): string {
    return stateText(run, this.home.main());
  }

  /** Ask for the events of a run, from the one after number `after`. */
  open(run: Run, after = 0): void {
    if (this.watched.has(run)) return;
    this.watched.add(run);
    const listener = { event: (event: RunEvent) => this.heard(run, event), unknown: () => this.forgotten(run) };
    this.stream.watch(run.id, after, listener, this.signal);
  }

  /** The stream broke: what comes next may have happened long ago. */
  lost(): void {
    for (const run of this.runs) if (run.live) this.missed.add(run);
  }

  /** Ask the server to stop a run; return why it could not be asked. */
  async cancel(run: Run): Promise<Failure | null> {
    run.cancelling();
    this.home.say(this.text(run));
    this.home.redraw();
    const answer = await this.api.cancel(run.id);
    if (answer.ok || answer.failure.status === 404) return null;
    if (run.state === "cancelling") run.state = "running";
    return answer.failure;
  }

  private heard(run: Run, event: RunEvent): void {
    const before = this.text(run);
    run.apply(event);
    if (this.text(run) !== before) {
      this.tell(run);
      if (this.missed.has(run) && (event.kind === "started" || !run.live)) void this.time(run);
      this.home.remember();
    }
    this.home.redraw();
  }

  /** Take a run's times from the server: here it was not seen when they were. */
  private async time(run: Run): Promise<void> {
    const answer = await this.api.runs();
    const row = answer.ok ? answer.value.find((one) => one.run === run.id) : undefined;
    if (!row || this.signal.aborted) return;
    if (row.started) run.started = Date.parse(row.started);
    if (row.ended && !run.live) run.ended = Date.parse(row.ended);
    this.home.remember();
    this.home.redraw();
  }

  private forgotten(run: Run): void {
    run.forget();
    // One that was remembered over a reload and is gone has nothing to show but its values.
    if (run.terminal.empty && !run.outputs.length && run.values === null) {
      this.runs = this.runs.filter((one) => one !== run);
    }
    this.home.remember();
    this.home.redraw();
  }
}
