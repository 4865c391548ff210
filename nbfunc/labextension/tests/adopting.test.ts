import assert from "node:assert/strict";
import test from "node:test";

import { Api } from "../src/api.js";
import type { Home } from "../src/fields/field.js";
import { GroupField } from "../src/fields/group.js";
import { makeField } from "../src/fields/index.js";
import type { Json, SchemaNode } from "../src/schema.js";

let ids = 0;
const home: Home = {
  api: new Api("", "http://server/-/"),
  changed: () => undefined,
  redraw: () => undefined,
  refresh: () => Promise.resolve(),
  id: () => `f${++ids}`,
  focus: () => undefined,
  make: (node, name) => makeField(node, name, home),
};

const number = (value?: number): SchemaNode => ({ type: "integer", ...(value === undefined ? {} : { default: value }) });
const text = (value: string): SchemaNode => ({ type: "string", default: value });
const choice = (value: string): SchemaNode => ({ enum: ["fast", "slow"], default: value });
const optional = (inner: SchemaNode, value: Json): SchemaNode => ({
  anyOf: [inner, { type: "null" }],
  default: value,
  "x-nbfunc": { kind: "optional", start: value !== null },
});
const password: SchemaNode = { type: "string", "x-nbfunc": { kind: "text", password: true } };

function group(properties: Record<string, SchemaNode>, value?: Json): SchemaNode {
  const required = Object.keys(properties);
  return { type: "object", properties, required, ...(value === undefined ? {} : { default: value }) };
}

function form(properties: Record<string, SchemaNode>): GroupField {
  const made = makeField(group(properties), "f", home);
  assert(made instanceof GroupField);
  return made;
}

/** The form after a rebinding, with what `old` holds. */
function rebound(old: GroupField, properties: Record<string, SchemaNode>): Json {
  const fields = form(properties);
  fields.adopt(old, old.fresh());
  return fields.value();
}

test("a default that nobody touched follows the function; what was typed stays", () => {
  const old = form({ n: number(2), name: text("x"), mode: choice("fast"), on: { type: "boolean", default: false } });
  old.fields.get("name")?.fill("typed");
  const now = { n: number(3), name: text("y"), mode: choice("slow"), on: { type: "boolean", default: true } };
  assert.deepEqual(rebound(old, now), { n: 3, name: "typed", mode: "slow", on: true });
});

test("a default that is gone is not left behind as if it were typed", () => {
  assert.deepEqual(rebound(form({ n: number(2) }), { n: number() }), {});
});

test("what was put in stays, whatever the new default is", () => {
  const old = form({ n: number(2), rows: { type: "array", items: number(), default: [1] } });
  old.fill({ n: 7, rows: [1, 5] });
  assert.deepEqual(rebound(old, { n: number(3), rows: { type: "array", items: number(), default: [9] } }), {
    n: 7,
    rows: [1, 5],
  });
});

test("in a group, an optional field and a variant each is taken for itself", () => {
  const point = (x: number, y: number): SchemaNode => group({ x: number(), y: number() }, { x, y });
  const old = form({ p: point(1, 2), o: optional(point(1, 2), { x: 1, y: 2 }) });
  old.fill({ p: { x: 8 }, o: { x: 8 } });
  const now = { p: point(3, 4), o: optional(point(3, 4), { x: 3, y: 4 }) };
  assert.deepEqual(rebound(old, now), { p: { x: 8, y: 4 }, o: { x: 8, y: 4 } });
});

test("a switch that was turned off stays off", () => {
  const old = form({ n: optional(number(), 2) });
  old.fill({ n: null });
  assert.deepEqual(rebound(old, { n: optional(number(), 3) }), { n: null });
});

test("a password that was typed stays, in a group too", () => {
  const old = form({ key: password, login: group({ key: password }) });
  old.fill({ key: "one", login: { key: "two" } });
  assert.deepEqual(rebound(old, { key: password, login: group({ key: password }) }), { key: "one", login: { key: "two" } });
});

test("a reload finds what was put in, and the function's own defaults as they are then", () => {
  const old = form({ n: number(2), name: text("x"), p: group({ x: number(1), y: number(2) }) });
  old.fill({ name: "typed", p: { y: 9 } });
  assert.deepEqual(old.typed(), { name: "typed", p: { y: "9" } });
  const now = form({ n: number(3), name: text("y"), p: group({ x: number(4), y: number(2) }) });
  now.restore(old.typed());
  assert.deepEqual(now.value(), { n: 3, name: "typed", p: { x: 4, y: 9 } });
});
