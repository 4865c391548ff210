/** What a tab remembers of a form over a reload: what was put in, and the runs. Never passwords or files. */

import { encode, isObject, type Json } from "./schema.js";

export interface KeptRun {
  id: string;
  started: number | null;
  ended: number | null;
}

export interface Kept {
  values: Json;
  runs: KeptRun[];
}

export class Memory {
  constructor(
    private readonly key: string,
    private readonly storage: Storage,
  ) {}

  read(): Kept | null {
    try {
      const kept: unknown = JSON.parse(this.storage.getItem(this.key) ?? "null");
      if (!isObject(kept)) return null;
      const runs = Array.isArray(kept["runs"]) ? kept["runs"].filter(isKeptRun) : [];
      return { values: (kept["values"] ?? null) as Json, runs };
    } catch {
      return null;
    }
  }

  write({ values, runs }: Kept): void {
    try {
      const kept: Json = { values, runs: runs.map(({ id, started, ended }) => ({ id, started, ended })) };
      this.storage.setItem(this.key, encode(kept));
    } catch {
      // Full, or forbidden in this frame: a reload starts anew then.
    }
  }
}

function isKeptRun(value: unknown): value is KeptRun {
  return isObject(value) && typeof value["id"] === "string";
}
