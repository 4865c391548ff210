/** The one door to the server: every request of the element, typed; an error is a value, not an exception. */

import type { Numbered } from "./events.js";
import { decode, encode, isObject, type FormSchema, type Json, type Problem } from "./schema.js";
import { t } from "./words.js";

/** Why a request got no answer to use. `status` 0: nothing came back at all. */
export interface Failure {
  status: number;
  reason: string;
  message: string;
  problems: Problem[];
}

export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** A page of a table. */
export interface TablePage {
  rows: Json[][];
  total: number;
  matching: number;
}

export interface TableQuery {
  offset: number;
  limit: number;
  sort?: number | undefined;
  descending?: boolean;
  q?: string;
}

/** One row of the index: `GET S functions`; the last three in Jupyter alone. */
export interface FunctionRow {
  name: string;
  title: string;
  description: string;
  group: string | null;
  url: string;
  kernel?: string;
  notebook?: string | null;
  state?: string;
}

/** One row of `GET S runs`; times as RFC 3339. */
export interface RunRow {
  run: string;
  function: string;
  url: string;
  status: string;
  position?: number;
  progress?: { done: number; total?: number | null; text?: string };
  started: string | null;
  ended: string | null;
}

/** A run that was started, and what it has said by now. */
export interface Begun {
  run: string;
  events?: Numbered[];
}

/** How much of an upload the server has. */
export interface Received {
  offset: number;
}

/** How requests leave: by the page itself, or by JupyterLab. */
export interface Door {
  /** With what lets it in. */
  fetch(url: string, init: Omit<RequestInit, "headers"> & { headers: Record<string, string> }): Promise<Response>;
  /** What lets a request in that goes another way. */
  headers(): Record<string, string>;
}

/** The header that Jupyter wants of whoever changes something (its double-submit cookie). */
export function xsrf(): Record<string, string> {
  const token = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  return token ? { "X-XSRFToken": token } : {};
}

const PAGE_DOOR: Door = {
  fetch: (url, init) => fetch(url, { credentials: "same-origin", ...init, headers: { ...xsrf(), ...init.headers } }),
  headers: xsrf,
};

const TUS = { "Tus-Resumable": "1.0.0" };

/** What a person can do about it, where the server's own message does not say. */
function advice(reason: "aborted" | "nonsense" | "unreachable"): string {
  switch (reason) {
    case "aborted":
      return t`Stopped.`;
    case "nonsense":
      return t`The answer is not one of this server's. A proxy or a login page may be in between: reload the page, what you typed is kept.`;
    case "unreachable":
      return t`The server cannot be reached. Check that it is still running, then try again; what you typed is kept.`;
  }
}

function failure(status: number, reason: string, message: string, problems: Problem[] = []): Failure {
  return { status, reason, message, problems };
}

export class Api {
  /** `form` is R<function>, `shared` is S; both absolute, S with its final slash. */
  constructor(
    readonly form: string,
    readonly shared: string,
    private readonly door: Door = PAGE_DOOR,
  ) {}

  private async send(url: string, init: RequestInit = {}): Promise<Result<Response>> {
    let response: Response;
    try {
      response = await this.door.fetch(url, {
        ...init,
        headers: { Accept: "application/json", ...(init.headers as Record<string, string> | undefined) },
      });
    } catch (error) {
      if (init.signal?.aborted) return { ok: false, failure: failure(0, "aborted", advice("aborted")) };
      // The reason a browser gives ("Failed to fetch") helps nobody but who reads the console.
      console.warn("nbfunc:", url, error);
      return { ok: false, failure: failure(0, "unreachable", advice("unreachable")) };
    }
    if (response.ok) return { ok: true, value: response };
    return { ok: false, failure: await refusal(response) };
  }

  private async json<T>(
    url: string,
    init: RequestInit,
    shaped: (value: unknown) => value is T,
  ): Promise<Result<T>> {
    const sent = await this.send(url, init);
    if (!sent.ok) return sent;
    const value = await parsed(sent.value);
    if (shaped(value)) return { ok: true, value };
    return { ok: false, failure: failure(sent.value.status, "nonsense", advice("nonsense")) };
  }

  /** The form that the page came with, if its server had it by then. */
  held(element: Element): Result<FormSchema> | null {
    const script = element.querySelector(":scope > script[type='application/json']");
    const value = script && read(script.textContent);
    return isFormSchema(value) ? { ok: true, value } : null;
  }

  schema(signal?: AbortSignal): Promise<Result<FormSchema>> {
    return this.json(`${this.form}/schema`, signal ? { signal } : {}, isFormSchema);
  }

  /** Start a run; the answer is its id, and its first events where it was quick. The rest comes by the event stream. */
  start(values: Json): Promise<Result<Begun>> {
    return this.json(
      this.form,
      {
        method: "POST",
        body: encode(values),
        headers: { "Content-Type": "application/json", Prefer: "respond-async; events" },
      },
      (value): value is Begun =>
        isObject(value) && typeof value["run"] === "string" && (value["events"] === undefined || Array.isArray(value["events"])),
    );
  }

  async cancel(run: string): Promise<Result<undefined>> {
    const sent = await this.send(this.run(run), { method: "DELETE" });
    return sent.ok ? { ok: true, value: undefined } : sent;
  }

  /** Whether the server still knows a run. */
  async knows(run: string, signal: AbortSignal): Promise<Result<undefined>> {
    const sent = await this.send(this.run(run), { signal, headers: { Accept: "text/event-stream" } });
    if (!sent.ok) return sent;
    await sent.value.body?.cancel();
    return { ok: true, value: undefined };
  }

  run(run: string): string {
    return `${this.shared}runs/${encodeURIComponent(run)}`;
  }

  zip(run: string): string {
    return `${this.run(run)}/files.zip`;
  }

  functions(): Promise<Result<FunctionRow[]>> {
    return this.json(`${this.shared}functions`, {}, isFunctionRows);
  }

  runs(): Promise<Result<RunRow[]>> {
    return this.json(`${this.shared}runs`, {}, (value): value is RunRow[] => Array.isArray(value));
  }

  tablePage(url: string, query: TableQuery, signal: AbortSignal): Promise<Result<TablePage>> {
    const address = new URL(url, document.baseURI);
    const { searchParams } = address;
    searchParams.set("offset", String(query.offset));
    searchParams.set("limit", String(query.limit));
    if (query.sort !== undefined) searchParams.set("sort", String(query.sort));
    if (query.descending) searchParams.set("descending", "1");
    if (query.q) searchParams.set("q", query.q);
    return this.json(
      address.href,
      { signal },
      (value): value is TablePage => isObject(value) && Array.isArray(value["rows"]),
    );
  }

  /** The page's one event stream: `watched` are runs and the last event number seen of each. */
  events(watched: Iterable<[string, number]>, signal: AbortSignal): Promise<Result<Response>> {
    const query = new URLSearchParams({ changes: "1" });
    for (const [run, after] of watched) query.append("run", `${run}:${after}`);
    return this.send(`${this.shared}events?${query}`, {
      signal,
      cache: "no-store",
      headers: { Accept: "text/event-stream" },
    });
  }

  /** tus creation: the answer is the token, the last part of the Location. */
  async createUpload(filename: string, length: number, signal: AbortSignal): Promise<Result<string>> {
    const sent = await this.send(`${this.shared}uploads`, {
      method: "POST",
      signal,
      headers: {
        ...TUS,
        "Upload-Length": String(length),
        "Upload-Metadata": `filename ${base64(filename)}`,
      },
    });
    if (!sent.ok) return sent;
    const token = sent.value.headers.get("Location")?.split("?")[0]?.split("/").pop();
    if (token) return { ok: true, value: decodeURIComponent(token) };
    return { ok: false, failure: failure(sent.value.status, "nonsense", advice("nonsense")) };
  }

  private upload(token: string): string {
    return `${this.shared}uploads/${encodeURIComponent(token)}`;
  }

  /** tus HEAD: how much has arrived. */
  async received(token: string, signal?: AbortSignal): Promise<Result<Received>> {
    const sent = await this.send(this.upload(token), {
      method: "HEAD",
      headers: TUS,
      cache: "no-store",
      ...(signal ? { signal } : {}),
    });
    if (!sent.ok) return sent;
    const offset = Number(sent.value.headers.get("Upload-Offset") ?? NaN);
    if (Number.isFinite(offset)) return { ok: true, value: { offset } };
    return { ok: false, failure: failure(sent.value.status, "nonsense", advice("nonsense")) };
  }

  /** tus PATCH of one piece. XMLHttpRequest, since fetch reports no progress of what it sends. */
  sendPiece(
    token: string,
    offset: number,
    piece: Blob,
    signal: AbortSignal,
    moved: (bytes: number) => void,
  ): Promise<Result<Received>> {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const fail = (reason: "aborted" | "nonsense" | "unreachable"): void =>
        resolve({ ok: false, failure: failure(0, reason, advice(reason)) });
      const stop = (): void => request.abort();
      request.open("PATCH", this.upload(token));
      const headers = {
        Accept: "application/json",
        ...this.door.headers(),
        ...TUS,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": String(offset),
      };
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded }) => moved(loaded);
      request.onabort = () => fail("aborted");
      request.onerror = request.ontimeout = () => fail("unreachable");
      request.onload = () => {
        const answer = new Response(request.status === 204 ? null : request.responseText, {
          status: Math.max(request.status, 200),
        });
        const reached = Number(request.getResponseHeader("Upload-Offset") ?? NaN);
        if (!answer.ok) void refusal(answer).then((refused) => resolve({ ok: false, failure: refused }));
        else if (Number.isFinite(reached)) resolve({ ok: true, value: { offset: reached } });
        else fail("nonsense");
      };
      request.onloadend = () => signal.removeEventListener("abort", stop);
      signal.addEventListener("abort", stop);
      if (signal.aborted) fail("aborted");
      else request.send(piece);
    });
  }

  /** tus termination; nobody waits for it, the server sweeps what it misses. */
  async dropUpload(token: string): Promise<void> {
    await this.send(this.upload(token), { method: "DELETE", headers: TUS });
  }

  /** Where to log in again, and come back. */
  get login(): string {
    return `${this.shared}login?next=${encodeURIComponent(location.pathname + location.search)}`;
  }
}

async function parsed(response: Response): Promise<unknown> {
  try {
    return read(await response.text());
  } catch {
    return undefined;
  }
}

/** Read JSON that may be none. */
function read(text: string): unknown {
  try {
    return decode(text);
  } catch {
    return undefined;
  }
}

/** Read an error answer: `{message, reason, errors?, error?}`, or whatever a proxy sent instead. */
async function refusal(response: Response): Promise<Failure> {
  const body = await parsed(response);
  const said = isObject(body) ? body : {};
  const reason = typeof said["reason"] === "string" ? said["reason"] : (STATUS_REASONS[response.status] ?? "failed");
  const message = typeof said["message"] === "string" && said["message"] ? said["message"] : plain(response, reason);
  const problems = Array.isArray(said["errors"]) ? said["errors"].filter(isProblem) : [];
  return failure(response.status, reason, message, problems);
}

const STATUS_REASONS: Record<number, string> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  410: "expired",
  413: "too_large",
  422: "invalid",
};

/** What to say where the answer itself says nothing. */
function plain(response: Response, reason: string): string {
  const status = `${response.status} ${response.statusText}`.trim();
  switch (reason) {
    case "unauthorized":
      return t`You are not logged in, or no longer. Log in, then submit again; what you typed is kept.`;
    case "forbidden":
      return t`The server does not allow this (${status}). Reload the page, or log in again.`;
    case "not_found":
      return t`This function is not here any more. It may have been removed, or its kernel restarted.`;
    case "too_large":
      return t`This is more than the server, or a proxy before it, takes at once.`;
    default:
      return response.status >= 500
        ? t`The server failed (${status}). Its log says why; what you typed is kept, so you can try again.`
        : t`The server refused this (${status}).`;
  }
}

function isProblem(value: unknown): value is Problem {
  return isObject(value) && Array.isArray(value["loc"]) && typeof value["msg"] === "string";
}

function isFormSchema(value: unknown): value is FormSchema {
  return isObject(value) && isObject(value["parameters"]) && typeof value["name"] === "string";
}

function isFunctionRows(value: unknown): value is FunctionRow[] {
  return Array.isArray(value) && value.every((one) => isObject(one) && typeof one["name"] === "string" && typeof one["url"] === "string");
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
