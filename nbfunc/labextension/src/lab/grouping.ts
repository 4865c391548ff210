/** The order of the list: which functions, and which of them stand together. */

import type { FunctionRow } from "../api.js";

/** The functions in which every word of a search occurs. */
export function found(rows: FunctionRow[], search: string): FunctionRow[] {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => matches(row, words));
}

function matches(row: FunctionRow, words: string[]): boolean {
  const text = [row.title, row.name, row.description, row.group ?? "", row.notebook ?? ""].join("\n").toLocaleLowerCase();
  return words.every((word) => text.includes(word));
}

/** By kernel, the current notebook's first; in a kernel by group, those without one first. */
export function grouped(rows: FunctionRow[], current: string | null): FunctionRow[][] {
  const kernels = new Map<string, Map<string, FunctionRow[]>>();
  for (const row of rows) {
    const groups = kernels.get(row.kernel ?? "") ?? new Map<string, FunctionRow[]>([["", []]]);
    kernels.set(row.kernel ?? "", groups);
    const group = groups.get(row.group ?? "") ?? [];
    groups.set(row.group ?? "", group);
    group.push(row);
  }
  const all = [...kernels.values()].map((groups) => [...groups.values()].flat());
  const first = all.filter(([row]) => current !== null && row?.notebook === current);
  return [...first, ...all.filter((one) => !first.includes(one))];
}
