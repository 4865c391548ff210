/** A group of fields, and how a value finds its place in fields. */

import { html, type TemplateResult } from "lit";

import { isObject, type Json, type JsonObject, type SchemaNode } from "../schema.js";
import { t } from "../words.js";
import { Field, Misfit, quoted, type Home } from "./field.js";

export function object(value: Json): JsonObject {
  if (!isObject(value)) throw new Misfit(t`${quoted(value)} is not an object of values.`);
  return value;
}

/** Fill a field, and leave a misfit at that field instead of at the whole. */
export function fillInto(field: Field, value: Json): void {
  place(field, () => field.fill(value));
}

export function place(field: Field, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    field.problem = error.message;
  }
}

/** A dataclass, a model, a `TypedDict`; and the form as a whole. */
export class GroupField extends Field {
  override readonly compound = true;
  readonly fields: ReadonlyMap<string, Field>;

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    this.fields = new Map(
      Object.entries(node.properties ?? {}).map(([key, one]) => [key, home.make(one, key)] as const),
    );
  }

  override fill(value: Json): void {
    for (const [key, one] of Object.entries(object(value))) {
      const field = this.fields.get(key);
      if (field) fillInto(field, one);
    }
  }

  override value(): JsonObject {
    const values: JsonObject = {};
    for (const [key, field] of this.fields) {
      const value = field.value();
      if (value !== undefined) values[key] = value;
    }
    return values;
  }

  override keep(): JsonObject {
    const kept: JsonObject = {};
    for (const [key, field] of this.fields) {
      const one = field.keep();
      if (one !== undefined) kept[key] = one;
    }
    return kept;
  }

  override restore(kept: Json): void {
    if (!isObject(kept)) return;
    for (const [key, field] of this.fields) {
      const one = kept[key];
      if (one !== undefined) field.restore(one);
    }
  }

  /** What was put in, as `keep` has it: not what stands there of itself. */
  typed(start = this.fresh()): JsonObject {
    const typed: JsonObject = {};
    for (const [key, field] of this.fields) {
      const began = start instanceof GroupField ? start.fields.get(key) : undefined;
      if (!began || !field.touched(began)) continue;
      const one = field instanceof GroupField ? field.typed(began) : field.keep();
      if (one !== undefined) typed[key] = one;
    }
    return typed;
  }

  override adopt(old: Field, start: Field): void {
    if (!(old instanceof GroupField && start instanceof GroupField)) return;
    for (const [key, field] of this.fields) {
      const before = old.fields.get(key);
      const began = start.fields.get(key);
      if (before && began) field.follow(before, began);
    }
  }

  override children(): Field[] {
    return [...this.fields.values()];
  }

  override child(part: string | number): Field | undefined {
    return this.fields.get(String(part));
  }

  override get focusId(): string {
    return this.children()[0]?.focusId ?? this.id;
  }

  protected override body(): TemplateResult {
    return html`<div class="inner">${this.children().map((field) => field.draw())}</div>`;
  }
}
