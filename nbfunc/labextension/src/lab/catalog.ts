/** The functions of all running kernels, live while somebody looks. */

import type { Session } from "@jupyterlab/services";
import { Signal, type ISignal } from "@lumino/signaling";

import type { Failure, FunctionRow } from "../api.js";
import { pageStream, type EventStream, type PageEvent } from "../events.js";
import type { Server } from "./door.js";

/** Which function: by where it runs now, or by its notebook, which outlives kernels. */
export interface Target {
  name: string;
  kernel: string | null;
  notebook: string | null;
}

export function targetOf({ name, kernel, notebook }: FunctionRow): Target {
  return { name, kernel: kernel ?? null, notebook: notebook ?? null };
}

/** How things stand with the server. */
export type Health =
  | { kind: "loading" }
  | { kind: "ready" }
  /** The server has no nbfunc. */
  | { kind: "missing" }
  /** It has one that speaks otherwise. */
  | { kind: "foreign" }
  | { kind: "unreachable"; failure: Failure };

/** Events closer together than this are one, in milliseconds: a kernel may expose a thousand functions at once. */
const TOGETHER = 50;

/** How long it keeps up when nobody looks any more, in milliseconds: scrolling takes cards out and in. */
const LINGER = 5000;

export class Catalog {
  health: Health = { kind: "loading" };
  rows: FunctionRow[] = [];
  private readonly stream: EventStream;
  private readonly _changed = new Signal<this, void>(this);
  private readonly holders = new Set<AbortSignal>();
  private control: AbortController | undefined;
  private asking = false;
  private stale = false;

  constructor(
    private readonly server: Server,
    private readonly sessions: Session.IManager,
  ) {
    this.stream = pageStream(server.api);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Keep up with the server until `signal` aborts. */
  hold(signal: AbortSignal): void {
    this.holders.add(signal);
    signal.addEventListener(
      "abort",
      () => {
        this.holders.delete(signal);
        setTimeout(() => {
          if (!this.holders.size) this.control?.abort();
        }, LINGER);
      },
      { once: true },
    );
    if (!this.control || this.control.signal.aborted) void this.follow();
  }

  /** The running function that a target means. */
  find({ name, kernel, notebook }: Target): FunctionRow | undefined {
    const named = this.rows.filter((row) => row.name === name);
    return (
      named.find((row) => row.kernel === kernel) ??
      named.find((row) => row.notebook === notebook && notebook !== null)
    );
  }

  /** Ask again; what changes while the answer is on its way is asked for after it. */
  async refresh(): Promise<void> {
    this.stale = true;
    if (this.asking) return;
    this.asking = true;
    while (this.stale) {
      this.stale = false;
      const answer = await this.server.api.functions();
      if (answer.ok) {
        this.rows = answer.value;
        this.health = { kind: "ready" };
      } else this.health = unhealthy(answer.failure);
      this._changed.emit();
    }
    this.asking = false;
    if (this.health.kind === "ready" && this.holders.size && this.control?.signal.aborted) void this.follow();
  }

  private async follow(): Promise<void> {
    this.control?.abort();
    const control = (this.control = new AbortController());
    const { signal } = control;
    await this.refresh();
    if (signal.aborted) return;
    if (this.health.kind !== "ready") {
      control.abort();
      return;
    }
    let soon: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      clearTimeout(soon);
      soon = setTimeout(() => void this.refresh(), TOGETHER);
    };
    this.stream.listen(
      {
        event: (event) => {
          if (!this.restate(event)) refresh();
        },
        back: refresh,
        trouble: (failure) => {
          if (failure) {
            this.health = { kind: "unreachable", failure };
            this._changed.emit();
          } else if (this.health.kind !== "ready") refresh();
        },
      },
      signal,
    );
    // A notebook was renamed or moved: the server is told of it by nobody but whoever asks.
    this.sessions.runningChanged.connect(refresh);
    signal.addEventListener("abort", () => {
      clearTimeout(soon);
      this.sessions.runningChanged.disconnect(refresh);
    });
  }

  /** Note a kernel's state; return whether that is all there is to it. */
  private restate(event: PageEvent): boolean {
    if (event.kind !== "kernel" || event.state === "dead") return false;
    const { id, state } = event;
    this.rows = this.rows.map((row) => (row.kernel === id ? { ...row, state } : row));
    this._changed.emit();
    return true;
  }
}

function unhealthy(failure: Failure): Health {
  if (failure.status === 404) return { kind: "missing" };
  if (failure.reason === "nonsense") return { kind: "foreign" };
  return { kind: "unreachable", failure };
}
