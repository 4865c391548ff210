import assert from "node:assert/strict";
import test from "node:test";

import type { FunctionRow } from "../src/api.js";
import { found, grouped } from "../src/lab/grouping.js";

function row(name: string, kernel: string, group: string | null = null): FunctionRow {
  return { name, title: name, description: `does ${name}`, group, url: `/${kernel}/${name}`, kernel, notebook: `${kernel}.ipynb` };
}

const names = (groups: FunctionRow[][]): string[][] => groups.map((rows) => rows.map(({ name }) => name));

test("the current notebook's functions come first, the others as the server has them", () => {
  const rows = [row("a", "one"), row("b", "two"), row("c", "three")];
  assert.deepEqual(names(grouped(rows, "two.ipynb")), [["b"], ["a"], ["c"]]);
  assert.deepEqual(names(grouped(rows, null)), [["a"], ["b"], ["c"]]);
});

test("the functions of a group stand together, after those without one", () => {
  const rows = [row("a", "k", "x"), row("b", "k"), row("c", "k", "x")];
  assert.deepEqual(names(grouped(rows, null)), [["b", "a", "c"]]);
});

test("a search looks for every word, in name, description and notebook", () => {
  const rows = [row("make_report", "sales"), row("make_plot", "weather")];
  assert.deepEqual(names([found(rows, "make SALES")]), [["make_report"]]);
  assert.deepEqual(names([found(rows, "does")]), [["make_report", "make_plot"]]);
  assert.deepEqual(found(rows, "make none"), []);
});
