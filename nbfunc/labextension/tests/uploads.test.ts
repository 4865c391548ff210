import assert from "node:assert/strict";
import test from "node:test";

import type { Api, Failure, Result } from "../src/api.js";
import { Upload } from "../src/uploads.js";

const MIB = 1 << 20;
const cut: Failure = { status: 0, reason: "unreachable", message: "cut", problems: [] };

/** A server that keeps what it is sent, and whatever lies between that answers first. */
function server(between: (piece: Blob) => Failure | null): { api: Api; pieces: number[] } {
  let held = 0;
  const pieces: number[] = [];
  const api = {
    createUpload: (): Promise<Result<string>> => Promise.resolve({ ok: true, value: "token" }),
    received: () => Promise.resolve({ ok: true, value: { offset: held } }),
    sendPiece: (_token: string, offset: number, piece: Blob) => {
      assert.equal(offset, held);
      pieces.push(piece.size);
      const failure = between(piece);
      if (failure) return Promise.resolve({ ok: false, failure });
      held += piece.size;
      return Promise.resolve({ ok: true, value: { offset: held } });
    },
  };
  return { api: api as unknown as Api, pieces };
}

function file(size: number): File {
  return new File([new Uint8Array(size)], "a.bin");
}

test("a proxy that ends the connection of a large piece gets smaller ones", async () => {
  const { api, pieces } = server((piece) => (piece.size > MIB ? cut : null));
  const upload = new Upload(api, file(9 * MIB), () => undefined);
  upload.start();
  await upload.settled;
  assert.equal(upload.state, "done");
  assert.deepEqual(pieces.slice(0, 3), [9 * MIB, 8 * MIB, MIB]);
});

test("a connection that is cut now and then does not make pieces ever smaller", async () => {
  let sent = 0;
  const { api, pieces } = server(() => (sent++ < 3 ? cut : null));
  const upload = new Upload(api, file(3 * MIB), () => undefined);
  upload.start();
  await upload.settled;
  assert.equal(upload.state, "done");
  assert.equal(Math.min(...pieces), MIB);
});
