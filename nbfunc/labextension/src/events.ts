/** What runs say, and the one stream of a page that brings it (WHATWG HTML, server-sent events). */

import type { Api, Failure } from "./api.js";
import { decode, isObject, type Json } from "./schema.js";
import { t } from "./words.js";

export interface TextOutput {
  kind: "text";
  text: string;
  value?: Json;
  url?: string | null;
}

export interface ImageOutput {
  kind: "image";
  url: string;
  width: number;
  height: number;
}

export interface Column {
  name: string;
  type: "number" | "boolean" | "date" | "text";
}

export interface TableOutput {
  kind: "table";
  columns: Column[];
  rows: Json[][];
  total: number;
  url: string;
  csv: string;
}

export interface FileOutput {
  kind: "file";
  url: string;
  filename: string;
  size: number;
  expires: string;
  expires_in: number;
}

export interface DisplayOutput {
  kind: "display";
  data: Record<string, Json>;
  metadata?: Record<string, Json>;
}

export type Output = TextOutput | ImageOutput | TableOutput | FileOutput | DisplayOutput;

export interface Failed {
  kind: "failed";
  type: string;
  message: string;
  traceback?: string | null;
}

/** The events of a run. */
export type RunEvent =
  | { kind: "queued"; position: number }
  | { kind: "started" }
  | { kind: "printed"; stream: "stdout" | "stderr"; text: string }
  | { kind: "progress"; done: number; total?: number | null; text?: string }
  | { kind: "output"; output: Output }
  | { kind: "finished" }
  | Failed
  | { kind: "cancelled" };

/** What changes around the runs. */
export type PageEvent =
  | { kind: "changed"; url: string }
  | { kind: "removed"; url: string }
  | { kind: "kernel"; id: string; state: string };

/** An event with its place in its run. */
export type Numbered = RunEvent & { n: number };

const RUN_KINDS: ReadonlySet<string> = new Set<RunEvent["kind"]>([
  "queued",
  "started",
  "printed",
  "progress",
  "output",
  "finished",
  "failed",
  "cancelled",
]);
const PAGE_KINDS: ReadonlySet<string> = new Set<PageEvent["kind"]>(["changed", "removed", "kernel"]);

export interface Frame {
  id: string;
  event: string;
  data: string;
}

/** Cut a text stream into frames. Feed it pieces as they come; it keeps what is not whole yet. */
export class FrameParser {
  private rest = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  *feed(piece: string): Generator<Frame> {
    let text = this.rest + piece;
    // A final \r may be half of \r\n: it waits for the next piece.
    const held = text.endsWith("\r") ? "\r" : "";
    if (held) text = text.slice(0, -1);
    const lines = text.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + held;
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) yield { id: this.id, event: this.event, data: this.data.join("\n") };
        this.event = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") this.data.push(value);
      else if (name === "event") this.event = value;
      else if (name === "id") this.id = value;
    }
  }
}

/** Who listens to one run. */
export interface RunListener {
  /** One event, once, in order. */
  event(event: RunEvent): void;
  /** The server does not know this run any more. */
  unknown(): void;
}

export interface PageListener {
  event?(event: PageEvent): void;
  /** The stream stands again after it was lost; what happened around the runs meanwhile is unknown. */
  back?(): void;
  /** Null: all is well. Otherwise why nothing comes, until it does. */
  trouble?(failure: Failure | null): void;
}

/** One listener's place in a run; forms that show the same run have one each. */
interface Watch {
  readonly run: string;
  readonly listener: RunListener;
  after: number;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/**
 * The event stream of a page: one connection, whatever runs in it.
 *
 * A browser has six connections to a host, so a page holds one. Watching another run opens the stream anew
 * with the last event number of each, and closes the old one only then: no event is missed, and numbers that
 * were seen are dropped, so none comes twice.
 */
export class EventStream {
  private readonly watches = new Set<Watch>();
  private readonly listeners = new Set<PageListener>();
  private current: AbortController | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
  private lost = false;
  private readonly life = new AbortController();

  constructor(private readonly api: Api) {
    const { signal } = this.life;
    globalThis.addEventListener("online", this.hurry, { signal });
    document.addEventListener("visibilitychange", this.hurry, { signal });
  }

  /** Listen to a run from the event after number `after`, until `signal` aborts or the run ends. */
  watch(run: string, after: number, listener: RunListener, signal: AbortSignal): void {
    const watch: Watch = { run, listener, after };
    this.watches.add(watch);
    const leave = (): void => {
      this.watches.delete(watch);
      this.rest();
    };
    signal.addEventListener("abort", leave, { once: true });
    void this.open();
  }

  listen(listener: PageListener, signal: AbortSignal): void {
    this.listeners.add(listener);
    const leave = (): void => {
      this.listeners.delete(listener);
      this.rest();
    };
    signal.addEventListener("abort", leave, { once: true });
    if (!this.current) void this.open();
  }

  close(): void {
    this.life.abort();
    this.rest();
  }

  /** Nobody listens: leave the connection to others until somebody does. */
  private rest(): void {
    if (!this.life.signal.aborted && (this.watches.size || this.listeners.size)) return;
    clearTimeout(this.retry);
    this.current?.abort();
    this.current = undefined;
  }

  /** Back on the network, or looked at again: no reason to sit out the wait. */
  private readonly hurry = (): void => {
    if (this.lost && !document.hidden) void this.open();
  };

  private async open(): Promise<void> {
    if (this.life.signal.aborted) return;
    clearTimeout(this.retry);
    const before = this.current;
    const mine = (this.current = new AbortController());
    // A watch that comes later wants what this connection may have told already: it has one of its own.
    const watches = [...this.watches];
    const opened = await this.api.events(this.afters(), mine.signal);
    before?.abort();
    if (!this.holds(mine)) {
      mine.abort();
      return;
    }
    if (!opened.ok) {
      await this.refused(opened.failure, mine);
      return;
    }
    if (this.lost) for (const listener of this.listeners) listener.back?.();
    this.lost = false;
    this.tell(null);
    await this.read(opened.value, mine, watches);
    if (!this.holds(mine)) return;
    // 204, or a stream that ended: whatever is to come, comes by a new one.
    this.later({ status: 0, reason: "unreachable", message: t`The connection to the server was lost.`, problems: [] });
  }

  /** Whether this connection is still the page's: a later one, or the end, may have come while it waited. */
  private holds(mine: AbortController): boolean {
    return mine === this.current && !this.life.signal.aborted;
  }

  private async read(response: Response, mine: AbortController, watches: Watch[]): Promise<void> {
    if (!response.body) return;
    const parser = new FrameParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || mine.signal.aborted) return;
        this.wait = FIRST_WAIT;
        for (const frame of parser.feed(value)) this.dispatch(frame, watches);
      }
    } catch {
      // The connection broke, or was aborted: open() decides what follows.
    }
  }

  private dispatch(frame: Frame, watches: Watch[]): void {
    let said: unknown;
    try {
      said = decode(frame.data);
    } catch {
      return;
    }
    if (!isObject(said)) return;
    const kind = typeof said["kind"] === "string" ? said["kind"] : frame.event;
    if (PAGE_KINDS.has(kind)) {
      const event = { ...said, kind } as PageEvent;
      for (const listener of this.listeners) listener.event?.(event);
      return;
    }
    const run = typeof said["run"] === "string" ? said["run"] : "";
    if (kind === "unknown") {
      this.forget(run);
      return;
    }
    if (!RUN_KINDS.has(kind)) return;
    const n = Number(said["n"] ?? frame.id);
    for (const watch of watches) {
      if (watch.run !== run || !this.watches.has(watch) || !(n > watch.after)) continue;
      watch.after = n;
      if (kind === "finished" || kind === "failed" || kind === "cancelled") this.watches.delete(watch);
      watch.listener.event({ ...said, kind } as RunEvent);
    }
    this.rest();
  }

  private async refused(failure: Failure, mine: AbortController): Promise<void> {
    // One run that the server forgot must not keep the others from being heard.
    if (failure.status === 404 && this.watches.size) {
      for (const run of this.afters().keys()) {
        const known = await this.api.knows(run, mine.signal);
        if (!known.ok && known.failure.status === 404) this.forget(run);
      }
    }
    if (this.holds(mine)) this.later(failure);
  }

  private forget(run: string): void {
    for (const watch of [...this.watches]) {
      if (watch.run !== run) continue;
      this.watches.delete(watch);
      watch.listener.unknown();
    }
  }

  private later(failure: Failure): void {
    this.lost = true;
    this.tell(failure);
    const wait = this.wait * (0.75 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    this.retry = setTimeout(() => void this.open(), wait);
  }

  private tell(failure: Failure | null): void {
    for (const listener of this.listeners) listener.trouble?.(failure);
  }

  /** The runs that are watched, each from where the one who has least of it stands. */
  private afters(): Map<string, number> {
    const afters = new Map<string, number>();
    for (const { run, after } of this.watches) afters.set(run, Math.min(after, afters.get(run) ?? after));
    return afters;
  }
}

const streams = new Map<string, EventStream>();

/** The page's stream to `api.shared`; every form on the page has the same one. */
export function pageStream(api: Api): EventStream {
  let stream = streams.get(api.shared);
  if (!stream) streams.set(api.shared, (stream = new EventStream(api)));
  return stream;
}
