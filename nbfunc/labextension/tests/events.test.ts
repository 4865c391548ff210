import assert from "node:assert/strict";
import test from "node:test";

import { Api } from "../src/api.js";
import { EventStream, FrameParser, type Frame } from "../src/events.js";

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

// The stream listens to the window and the document for a reason to hurry; here there is none.
Object.assign(globalThis, { addEventListener: () => {}, document: new EventTarget() });

/** A server's event streams, each answered when a test says so. */
class Server {
  private readonly asked: { url: string; answer: (response: Response) => void }[] = [];
  private came: () => void = () => {};
  readonly api = new Api("", "http://server/-/", {
    headers: () => ({}),
    fetch: (url) =>
      new Promise((answer) => {
        this.asked.push({ url, answer });
        this.came();
      }),
  });

  /** Wait for the next request for a stream: what it asks for, and how to answer it. */
  async next(): Promise<{ runs: string[]; open: () => (n: number, kind: string) => void }> {
    let asked;
    while (!(asked = this.asked.shift())) await new Promise<void>((resolve) => (this.came = resolve));
    const { url, answer } = asked;
    const open = () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      answer(new Response(readable));
      return (n: number, kind: string): void =>
        void writer.write(new TextEncoder().encode(`data: ${JSON.stringify({ run: "r", n, kind })}\n\n`));
    };
    return { runs: new URL(url).searchParams.getAll("run"), open };
  }
}

/** Who keeps what it hears of a run; `heard` waits until that is so many events. */
class Listener {
  readonly events: string[] = [];
  private grown: () => void = () => {};

  event({ kind }: { kind: string }): void {
    this.events.push(kind);
    this.grown();
  }

  unknown(): void {
    this.event({ kind: "unknown" });
  }

  async heard(count: number): Promise<string[]> {
    while (this.events.length < count) await new Promise<void>((resolve) => (this.grown = resolve));
    return this.events;
  }
}

test("who comes later to a run hears all of it, once, and who was there before goes on", async () => {
  const server = new Server();
  const stream = new EventStream(server.api);
  const [early, late] = [new Listener(), new Listener()];
  const { signal } = new AbortController();
  stream.watch("r", 0, early, signal);
  const first = (await server.next()).open();
  first(1, "queued");
  first(2, "started");
  await early.heard(2);

  stream.watch("r", 0, late, signal);
  const asked = await server.next();
  assert.deepEqual(asked.runs, ["r:0"]);
  first(3, "printed");
  await early.heard(3);
  assert.deepEqual(late.events, [], "its own connection is still to come");
  const second = asked.open();
  ["queued", "started", "printed", "finished"].forEach((kind, at) => second(at + 1, kind));
  const all = ["queued", "started", "printed", "finished"];
  assert.deepEqual(await late.heard(4), all);
  assert.deepEqual(await early.heard(4), all);
  stream.close();
});

test("a listener that leaves takes no other's run along", async () => {
  const server = new Server();
  const stream = new EventStream(server.api);
  const [stays, goes] = [new Listener(), new Listener()];
  const leaving = new AbortController();
  stream.watch("r", 0, stays, new AbortController().signal);
  stream.watch("r", 0, goes, leaving.signal);
  await server.next();
  const say = (await server.next()).open();
  say(1, "queued");
  await goes.heard(1);
  leaving.abort();
  say(2, "finished");
  assert.deepEqual(await stays.heard(2), ["queued", "finished"]);
  assert.deepEqual(goes.events, ["queued"]);
  stream.close();
});

test("a run that the server does not know is told to all who watch it", async () => {
  const server = new Server();
  const stream = new EventStream(server.api);
  const [one, other] = [new Listener(), new Listener()];
  const { signal } = new AbortController();
  stream.watch("r", 0, one, signal);
  stream.watch("r", 5, other, signal);
  await server.next();
  const asked = await server.next();
  assert.deepEqual(asked.runs, ["r:0"]);
  asked.open()(0, "unknown");
  assert.deepEqual(await one.heard(1), ["unknown"]);
  assert.deepEqual(await other.heard(1), ["unknown"]);
  stream.close();
});
