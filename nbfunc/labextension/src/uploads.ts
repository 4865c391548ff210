/** One file on its way to the server: tus 1.0 core (tus.io/protocols/resumable-upload), resumed until whole. */

import type { Api, Failure, Result } from "./api.js";
import { isObject } from "./schema.js";
import { t } from "./words.js";

export type UploadState = "waiting" | "sending" | "done" | "failed" | "cancelled";

/** Of one PATCH; a proxy's 413 makes it smaller. */
const LARGEST_PIECE = 64 * 1024 * 1024;
const SMALLEST_PIECE = 64 * 1024;
/** What proxies take by themselves (nginx, client_max_body_size); below it a cut is no refusal. */
const MODEST_PIECE = 1024 * 1024;
/** Waits between tries, in milliseconds; after the last the person is asked. */
const WAITS = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000];

/** At once, of all forms on a page: two, since events and results need connections as well. */
const SLOTS = 2;
const queue: (() => void)[] = [];
let busy = 0;

async function slot(): Promise<void> {
  if (busy >= SLOTS) await new Promise<void>((resolve) => queue.push(resolve));
  busy += 1;
}

function free(): void {
  busy -= 1;
  queue.shift()?.();
}

/** What a page that is loaded again knows of an upload: enough to go on, once the person has chosen the file again. */
export interface Unfinished {
  token: string;
  name: string;
  size: number;
  modified: number;
  sent: number;
}

export function isUnfinished(value: unknown): value is Unfinished {
  return isObject(value) && typeof value["token"] === "string" && typeof value["name"] === "string";
}

/** Whether this is the file that was being sent, as far as a browser tells. */
export function isSame(known: Unfinished, file: File): boolean {
  return known.name === file.name && known.size === file.size && known.modified === file.lastModified;
}

export class Upload {
  state: UploadState = "waiting";
  /** Bytes that the server has, or is just being sent. */
  sent = 0;
  /** Bytes a second, lately. */
  speed = 0;
  failure: Failure | null = null;
  /** What a submit names this file by, once it is whole. */
  token = "";
  /** A run has taken the token: it will not do for another. */
  spent = false;
  /** Settles, never rejects, when the upload is done, failed or cancelled. */
  settled: Promise<void> = Promise.resolve();
  private control = new AbortController();
  private piece = LARGEST_PIECE;
  private measured = { at: 0, sent: 0 };

  constructor(
    private readonly api: Api,
    readonly file: File,
    private readonly changed: () => void,
    begun: Unfinished | null = null,
  ) {
    this.token = begun?.token ?? "";
  }

  get unfinished(): Unfinished {
    const { name, size, lastModified: modified } = this.file;
    // A token that a run has taken takes no more bytes.
    return this.spent ? { token: "", name, size, modified, sent: 0 } : { token: this.token, name, size, modified, sent: this.sent };
  }

  /** Send the file from where the server stands; from its start after `again`. */
  start(): void {
    this.control = new AbortController();
    this.state = "waiting";
    this.failure = null;
    this.settled = this.run(this.control.signal);
  }

  /** Send the whole file again: its token is gone or taken. */
  again(): void {
    this.token = "";
    this.sent = 0;
    this.spent = false;
    this.start();
  }

  /** Stop, and let the server forget what it has, unless a run has taken it. */
  cancel(): void {
    this.control.abort();
    this.state = "cancelled";
    if (this.token && !this.spent) void this.api.dropUpload(this.token);
  }

  /** Whether the server would still take the token. */
  async stands(): Promise<boolean> {
    if (this.spent || !this.token) return false;
    const received = await this.api.received(this.token);
    return received.ok && received.value.offset === this.file.size;
  }

  private async run(signal: AbortSignal): Promise<void> {
    await slot();
    const stopped = (): boolean => signal.aborted;
    try {
      if (stopped()) return;
      this.state = "sending";
      this.changed();
      const failure = await this.send(signal);
      if (stopped()) return;
      this.failure = failure;
      this.state = failure ? "failed" : "done";
    } finally {
      free();
      this.changed();
    }
  }

  /** Return why it could not be sent, or null. */
  private async send(signal: AbortSignal): Promise<Failure | null> {
    let tries = 0;
    let offset = await this.standing(signal);
    for (;;) {
      if (this.token && offset >= this.file.size) return null;
      const step: Result<{ offset: number }> = this.token
        ? await this.sendFrom(offset, signal)
        : await this.create(signal);
      if (signal.aborted) return null;
      if (step.ok) {
        tries = 0;
        offset = this.sent = step.value.offset;
        this.changed();
        continue;
      }
      const { failure } = step;
      if (!this.token || !this.mend(failure)) {
        const passing = failure.status === 0 || failure.status >= 500 || failure.status === 409;
        if (!passing || !(await this.readable())) return passing ? unreadable(failure) : failure;
      }
      const wait = WAITS[tries];
      if (wait === undefined) return failure;
      tries += 1;
      await pause(wait, signal);
      const before = offset;
      offset = await this.standing(signal);
      // A refusal is not always heard: a proxy may end the connection while the piece still leaves.
      if (failure.status === 0 && offset <= before) this.lessen(MODEST_PIECE);
    }
  }

  /** Ask how much the server has; nothing, and no token any more, where it has forgotten. */
  private async standing(signal: AbortSignal): Promise<number> {
    if (!this.token) return 0;
    const received = await this.api.received(this.token, signal);
    if (received.ok) this.sent = received.value.offset;
    else if (received.failure.status === 404 || received.failure.status === 410) {
      this.token = "";
      this.sent = 0;
    }
    this.changed();
    return this.sent;
  }

  private async create(signal: AbortSignal): Promise<Result<{ offset: number }>> {
    const created = await this.api.createUpload(this.file.name, this.file.size, signal);
    if (!created.ok) return created;
    this.token = created.value;
    return { ok: true, value: { offset: 0 } };
  }

  private sendFrom(offset: number, signal: AbortSignal): Promise<Result<{ offset: number }>> {
    const piece = this.file.slice(offset, offset + this.piece);
    this.measured = { at: performance.now(), sent: offset };
    return this.api.sendPiece(this.token, offset, piece, signal, (bytes) => this.moved(offset + bytes));
  }

  /** Whether another try can differ from the one that `failure` ended. */
  private mend(failure: Failure): boolean {
    if (failure.status === 413 && this.piece > SMALLEST_PIECE) {
      this.lessen(SMALLEST_PIECE);
      return true;
    }
    return failure.status === 404 || failure.status === 410;
  }

  private lessen(least: number): void {
    this.piece = Math.min(this.piece, Math.max(least, Math.floor(this.piece / 8)));
  }

  private moved(sent: number): void {
    const now = performance.now();
    const seconds = (now - this.measured.at) / 1000;
    this.sent = Math.min(sent, this.file.size);
    if (seconds > 0.25) {
      const lately = (sent - this.measured.sent) / seconds;
      this.speed = this.speed ? this.speed * 0.7 + lately * 0.3 : lately;
      this.measured = { at: now, sent };
    }
    this.changed();
  }

  /** A file that was changed or removed since it was chosen cannot be read; the network is not to blame. */
  private async readable(): Promise<boolean> {
    try {
      await this.file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }
}

function unreadable(failure: Failure): Failure {
  return {
    ...failure,
    reason: "unreadable",
    message: t`The file cannot be read: it was changed or removed after you chose it. Choose it again.`,
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
