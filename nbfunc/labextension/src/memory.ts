/** What a tab remembers of a form over a reload: what was put in, and the runs. Never passwords, and of files the name alone. */

import { decode, encode, isObject, type Json } from "./schema.js";

export interface KeptRun {
  id: string;
  started: number | null;
  ended: number | null;
  /** What the form held when it was submitted, as `Field.keep` has it. */
  values: Json;
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
      const kept = decode(this.storage.getItem(this.key) ?? "null");
      if (!isObject(kept)) return null;
      const runs = Array.isArray(kept["runs"]) ? kept["runs"].filter(isObject).flatMap(keptRun) : [];
      return { values: (kept["values"] ?? null) as Json, runs };
    } catch {
      return null;
    }
  }

  write({ values, runs }: Kept): void {
    try {
      const kept: Json = { values, runs: runs.map((one) => ({ ...one })) };
      this.storage.setItem(this.key, encode(kept));
    } catch {
      // Full, or forbidden in this frame: a reload starts anew then.
    }
  }
}

function keptRun({ id, started, ended, values }: Record<string, unknown>): KeptRun[] {
  if (typeof id !== "string") return [];
  return [{ id, started: time(started), ended: time(ended), values: (values ?? null) as Json }];
}

function time(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
