/** Fields that hold fields: groups, lists, dicts, optional ones, variants. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";

import { isObject, kindOf, type Json, type JsonObject, type SchemaNode } from "../schema.js";
import { itemsFault } from "./checks.js";
import { Field, Misfit, fromText, quoted, type Frame, type Home } from "./field.js";
import { FileField, accept, dropZone } from "./file.js";

function object(value: Json): JsonObject {
  if (!isObject(value)) throw new Misfit(`${quoted(value)} is not an object of values.`);
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

  override adopt(old: Field): void {
    if (!(old instanceof GroupField)) return;
    for (const [key, field] of this.fields) {
      const before = old.fields.get(key);
      if (before) field.adopt(before);
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

interface Row {
  key: number;
  field: Field;
}

let rowKeys = 0;

/** Rows that can be added, removed and moved; what lists and dicts share. */
abstract class RowsField<R extends Row> extends Field {
  override readonly compound = true;
  protected rows: R[] = [];
  protected abstract readonly item: SchemaNode;

  protected abstract row(): R;

  override children(): Field[] {
    return this.rows.map(({ field }) => field);
  }

  protected replace(rows: R[]): void {
    for (const { field } of this.rows) field.dispose();
    this.rows = rows;
  }

  protected readonly add = (): void => {
    const row = this.row();
    this.rows.push(row);
    this.home.focus(this.entry(row));
    this.edited();
  };

  /** What takes the focus in a new row. */
  protected entry(row: R): string {
    return row.field.focusId;
  }

  protected remove(row: R): void {
    const at = this.rows.indexOf(row);
    row.field.dispose();
    this.rows.splice(at, 1);
    const next = this.rows[Math.min(at, this.rows.length - 1)];
    this.home.focus(next ? `${this.id}-remove-${next.key}` : `${this.id}-add`);
    this.edited();
  }

  protected move(row: R, by: 1 | -1, focus: string): void {
    const at = this.rows.indexOf(row);
    const to = at + by;
    if (to < 0 || to >= this.rows.length) return;
    this.rows.splice(at, 1);
    this.rows.splice(to, 0, row);
    this.home.focus(focus);
    this.edited();
  }

  protected get full(): boolean {
    return this.rows.length >= (this.node.maxItems ?? Infinity);
  }

  protected tools(row: R, at: number, what: string): TemplateResult {
    const up = `${this.id}-up-${row.key}`;
    const down = `${this.id}-down-${row.key}`;
    return html`<div class="tools">
      ${this.rows.length > 1
        ? html`<button
              type="button"
              class="quiet icon"
              id=${up}
              aria-label="Move ${what} up"
              title="Move up (Alt+↑)"
              aria-disabled=${at === 0 ? "true" : nothing}
              @click=${(): void => this.move(row, -1, up)}
            >
              ↑</button
            ><button
              type="button"
              class="quiet icon"
              id=${down}
              aria-label="Move ${what} down"
              title="Move down (Alt+↓)"
              aria-disabled=${at === this.rows.length - 1 ? "true" : nothing}
              @click=${(): void => this.move(row, 1, down)}
            >
              ↓
            </button>`
        : nothing}<button
        type="button"
        class="quiet icon"
        id="${this.id}-remove-${row.key}"
        aria-label="Remove ${what}"
        title="Remove"
        @click=${(): void => this.remove(row)}
      >
        ✕
      </button>
    </div>`;
  }

  protected keyed(row: R): (event: KeyboardEvent) => void {
    return (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key] as 1 | -1 | undefined;
      // A nested list's rows lie within ours: the innermost takes the key.
      if (!by || !event.altKey || event.defaultPrevented) return;
      event.preventDefault();
      this.move(row, by, (event.target as HTMLElement).id);
    };
  }

  protected addButton(text: string): TemplateResult {
    return html`<button type="button" class="quiet add" id="${this.id}-add" ?disabled=${this.full} @click=${this.add}>
      + ${text}
    </button>`;
  }
}

/** `list[T]`. */
export class ListField extends RowsField<Row> {
  protected override readonly item = this.node.items ?? {};
  private readonly files = kindOf(this.item) === "file";

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    if (!this.files) this.rows = Array.from({ length: node.minItems ?? 0 }, () => this.row());
  }

  protected override row(): Row {
    return { key: ++rowKeys, field: this.home.make(this.item, this.name) };
  }

  override fill(value: Json): void {
    if (!Array.isArray(value)) throw new Misfit(`${quoted(value)} is not a list.`);
    this.replace(
      this.files
        ? []
        : value.map((one) => {
            const row = this.row();
            fillInto(row.field, one);
            return row;
          }),
    );
  }

  override prefill(texts: string[]): void {
    if (this.files) return;
    const only = texts.length === 1 ? fromText(texts[0] ?? "") : null;
    if (Array.isArray(only)) {
      this.fill(only);
      return;
    }
    this.replace(
      texts.map((text) => {
        const row = this.row();
        place(row.field, () => row.field.prefill([text]));
        return row;
      }),
    );
  }

  override value(): Json[] | undefined {
    const values = this.rows.map(({ field }) => field.value());
    if (this.files && !values.length && Array.isArray(this.node.default)) return undefined;
    return values.map((one) => one ?? null);
  }

  override keep(): Json | undefined {
    if (this.files) return undefined;
    return this.rows.map(({ field }) => field.keep() ?? null);
  }

  override restore(kept: Json): void {
    if (!Array.isArray(kept) || this.files) return;
    this.replace(
      kept.map((one) => {
        const row = this.row();
        if (one !== null) row.field.restore(one);
        return row;
      }),
    );
  }

  override adopt(old: Field): void {
    if (!(old instanceof ListField)) return;
    this.rows = old.rows.map(({ field }) => {
      const row = this.row();
      row.field.adopt(field);
      return row;
    });
  }

  override child(part: string | number): Field | undefined {
    return this.rows[Number(part)]?.field;
  }

  protected override fault(): string {
    return itemsFault(this.node, this.rows.length, this.files ? "file" : "row");
  }

  override get focusId(): string {
    return this.rows[0]?.field.focusId ?? `${this.id}-add`;
  }

  protected override body(): TemplateResult {
    if (this.files) return this.fileBody();
    return html`${this.list()}${this.addButton(this.rows.length ? "Add another" : "Add one")}`;
  }

  private list(): TemplateResult | typeof nothing {
    if (!this.rows.length) return nothing;
    return html`<ol class="rows">
      ${repeat(
        this.rows,
        ({ key }) => key,
        (row, at) => {
          const what = `${this.label} ${at + 1}`;
          const tools = this.tools(row, at, what);
          const big = row.field.compound;
          const frame: Frame = { title: what, hideTitle: !big, help: "", row: true, ...(big ? { aside: tools } : {}) };
          return html`<li class="entry ${big ? "big" : ""}" @keydown=${this.keyed(row)}>
            <div class="grow">${row.field.draw(frame)}</div>
            ${big ? nothing : tools}
          </li>`;
        },
      )}
    </ol>`;
  }

  /** Files come several at once; each is a row then. */
  private fileBody(): TemplateResult {
    const take = (files: File[]): void => {
      for (const file of files) {
        if (this.full) {
          this.problem = itemsFault(this.node, this.rows.length + 1, "file");
          break;
        }
        const row = this.row();
        if (row.field instanceof FileField) row.field.take(file);
        if (row.field.problem) this.problem = row.field.problem;
        else this.rows.push(row);
      }
      this.home.changed();
    };
    return html`${this.list()}
    ${dropZone(
      this.id,
      html`<input
          id="${this.id}-add"
          class="picker"
          type="file"
          multiple
          accept=${accept(this.item)}
          aria-label="Add files to ${this.label}"
          aria-describedby=${this.described}
          aria-invalid=${this.invalid}
          @change=${(event: Event): void => {
            const input = event.target as HTMLInputElement;
            this.problem = "";
            take([...(input.files ?? [])]);
            input.value = "";
          }}
        />
        <div class="prompt">
          <span class="button" aria-hidden="true">Choose files</span><span class="note">or drop them here</span>
        </div>`,
      take,
    )}`;
  }
}

interface NamedRow extends Row {
  name: string;
}

/** `dict[str, T]`: rows of a key and a value. */
export class DictField extends RowsField<NamedRow> {
  protected override readonly item = isObject(this.node.additionalProperties) ? this.node.additionalProperties : {};

  protected override row(name = ""): NamedRow {
    return { key: ++rowKeys, name, field: this.home.make(this.item, name) };
  }

  override fill(value: Json): void {
    this.replace(
      Object.entries(object(value)).map(([name, one]) => {
        const row = this.row(name);
        fillInto(row.field, one);
        return row;
      }),
    );
  }

  override value(): JsonObject {
    return Object.fromEntries(
      this.rows.flatMap(({ name, field }) => {
        const value = field.value();
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  override keep(): Json {
    return this.rows.map(({ name, field }) => [name, field.keep() ?? null]);
  }

  override restore(kept: Json): void {
    if (!Array.isArray(kept)) return;
    this.replace(
      kept.flatMap((pair) => {
        if (!Array.isArray(pair)) return [];
        const [name, one = null] = pair;
        const row = this.row(typeof name === "string" ? name : "");
        if (one !== null) row.field.restore(one);
        return [row];
      }),
    );
  }

  override adopt(old: Field): void {
    if (!(old instanceof DictField)) return;
    this.rows = old.rows.map(({ name, field }) => {
      const row = this.row(name);
      row.field.adopt(field);
      return row;
    });
  }

  override child(part: string | number): Field | undefined {
    return this.rows.find(({ name }) => name === String(part))?.field;
  }

  protected override fault(): string {
    const names = this.rows.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (names.includes("")) return "Give every row a key.";
    return twice === undefined ? "" : `The key ${quoted(twice)} is there twice.`;
  }

  protected override entry(row: NamedRow): string {
    return `${this.id}-key-${row.key}`;
  }

  override get focusId(): string {
    return this.rows[0] ? this.entry(this.rows[0]) : `${this.id}-add`;
  }

  protected override body(): TemplateResult {
    return html`${this.rows.length
      ? html`<ol class="rows">
          ${repeat(
            this.rows,
            ({ key }) => key,
            (row, at) => {
              const what = row.name || `row ${at + 1}`;
              return html`<li class="entry pair" @keydown=${this.keyed(row)}>
                <input
                  class="key"
                  type="text"
                  id=${this.entry(row)}
                  aria-label="Key ${at + 1} of ${this.label}"
                  placeholder="key"
                  autocomplete="off"
                  dir="auto"
                  .value=${live(row.name)}
                  @input=${(event: Event): void => {
                    row.name = (event.target as HTMLInputElement).value;
                    this.edited();
                  }}
                />
                <div class="grow">
                  ${row.field.draw({ title: `Value of ${what}`, hideTitle: true, help: "" })}
                </div>
                ${this.tools(row, at, what)}
              </li>`;
            },
          )}
        </ol>`
      : nothing}
    ${this.addButton("Add a row")}`;
  }
}

/** `T | None`: a field with a switch. */
export class OptionalField extends Field {
  private readonly inner: Field;
  private on: boolean;

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    const [inner = {}] = (node.anyOf ?? []).filter((one) => one.type !== "null");
    this.inner = home.make({ ...inner, title: this.title }, name);
    this.on = this.hints.start ?? false;
  }

  override fill(value: Json): void {
    this.on = value !== null;
    if (value !== null) this.inner.fill(value);
  }

  /** The default fills the field; where the switch stands is said apart. */
  override settle(): void {
    this.on = this.hints.start ?? this.on;
  }

  override prefill(texts: string[]): void {
    if (this.inner instanceof FileField || (kindOf(this.inner.node) === "text" && this.inner.hints.password)) return;
    this.on = texts.at(-1) !== "null" || kindOf(this.inner.node) === "text";
    if (this.on) place(this.inner, () => this.inner.prefill(texts));
  }

  override value(): Json | undefined {
    return this.on ? this.inner.value() : null;
  }

  override keep(): Json {
    return { on: this.on, inner: this.inner.keep() ?? null };
  }

  override restore(kept: Json): void {
    if (!isObject(kept)) return;
    this.on = kept["on"] === true;
    if (kept["inner"] !== null && kept["inner"] !== undefined) this.inner.restore(kept["inner"]);
  }

  override adopt(old: Field): void {
    if (!(old instanceof OptionalField)) return;
    this.on = old.on;
    this.inner.adopt(old.inner);
  }

  override children(): Field[] {
    return this.on ? [this.inner] : [];
  }

  override dispose(): void {
    this.inner.dispose();
  }

  override child(part: string | number): Field | undefined {
    return this.on ? this.inner.child(part) : undefined;
  }

  /** The inner field shows what is wrong, being what is seen. */
  override find(loc: (string | number)[]): { field: Field; rest: (string | number)[] } {
    return this.on ? this.inner.find(loc) : { field: this.inner, rest: loc };
  }

  override get focusId(): string {
    return this.on ? this.inner.focusId : `${this.inner.id}-switch`;
  }

  override draw(frame: Frame = {}): TemplateResult {
    const title = frame.title ?? this.title;
    const aside = html`<input
      type="checkbox"
      role="switch"
      class="switch"
      id="${this.inner.id}-switch"
      aria-label=${this.inner.compound || this.on ? `Set ${title}` : nothing}
      .checked=${live(this.on)}
      @change=${(event: Event): void => {
        this.on = (event.target as HTMLInputElement).checked;
        this.inner.clear();
        this.home.changed();
      }}
    />${frame.aside ?? nothing}`;
    return this.inner.draw({
      ...frame,
      title,
      help: frame.help ?? this.node.description ?? this.inner.node.description ?? "",
      aside,
      off: !this.on,
    });
  }

  protected override body(): typeof nothing {
    return nothing;
  }
}

interface Variant {
  /** What `$type` names; null for one that the schema gives bare alone. */
  title: string;
  tagged: boolean;
  field: Field;
}

/** `A | B`: which one, then its field. */
export class VariantsField extends Field {
  override readonly compound = true;
  private readonly variants: Variant[];
  private at = 0;

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    const all = node.anyOf ?? [];
    const tagged = all.flatMap((one) => {
      const title = one.properties?.["$type"]?.const;
      const value = one.properties?.["$value"];
      return typeof title === "string" && value ? [{ title, tagged: true, field: home.make(value, title) }] : [];
    });
    this.variants = tagged.length
      ? tagged
      : all.map((one, at) => ({ title: one.title ?? `${at + 1}`, tagged: false, field: home.make(one, name) }));
  }

  private get current(): Variant | undefined {
    return this.variants[this.at];
  }

  override fill(value: Json): void {
    if (isObject(value) && typeof value["$type"] === "string") {
      const at = this.variants.findIndex(({ title }) => title === value["$type"]);
      const variant = this.variants[at];
      if (!variant) throw new Misfit(`${quoted(value["$type"])} is none of the variants.`);
      this.at = at;
      fillInto(variant.field, (value["$value"] ?? null));
      return;
    }
    this.first(value, (field) => {
      field.fill(value);
    });
  }

  override prefill(texts: string[]): void {
    const json = fromText(texts.at(-1) ?? "");
    if (isObject(json)) this.fill(json);
    else {
      this.first(texts.at(-1) ?? "", (field) => {
        field.prefill(texts);
      });
    }
  }

  /** Give a bare value to the first variant that takes it. */
  private first(value: Json, give: (field: Field) => void): void {
    for (const [at, { field }] of this.variants.entries()) {
      try {
        give(field);
      } catch (error) {
        if (error instanceof Misfit) continue;
        throw error;
      }
      const wrong = field.check().length > 0;
      field.clear();
      if (wrong) continue;
      this.at = at;
      return;
    }
    throw new Misfit(`${quoted(value)} is none of the variants.`);
  }

  override value(): Json | undefined {
    const value = this.current?.field.value();
    if (value === undefined || !this.current?.tagged) return value;
    return { $type: this.current.title, $value: value };
  }

  override keep(): Json {
    return { at: this.at, values: this.variants.map(({ field }) => field.keep() ?? null) };
  }

  override restore(kept: Json): void {
    if (!isObject(kept) || !Array.isArray(kept["values"])) return;
    if (typeof kept["at"] === "number" && kept["at"] < this.variants.length) this.at = kept["at"];
    for (const [at, one] of (kept["values"]).entries()) {
      if (one !== null) this.variants[at]?.field.restore(one);
    }
  }

  override adopt(old: Field): void {
    if (!(old instanceof VariantsField)) return;
    for (const [at, variant] of this.variants.entries()) {
      const before = old.variants.find(({ title }) => title === variant.title);
      if (!before) continue;
      variant.field.adopt(before.field);
      if (before === old.current) this.at = at;
    }
  }

  override children(): Field[] {
    return this.current ? [this.current.field] : [];
  }

  override dispose(): void {
    for (const { field } of this.variants) field.dispose();
  }

  override find(loc: (string | number)[]): { field: Field; rest: (string | number)[] } {
    const [part, ...rest] = loc;
    // The path has no part for "$value"; one for the variant's title is passed over.
    const within = this.current && (part === this.current.title || part === "$value") ? rest : loc;
    return this.current ? this.current.field.find(within) : { field: this, rest: loc };
  }

  protected override body(): TemplateResult {
    const { current } = this;
    return html`<div class="segments" role="radiogroup" aria-label="Kind of ${this.label}">
        ${this.variants.map(
          ({ title }, at) =>
            html`<label class="segment"
              ><input
                type="radio"
                name="${this.id}-kind"
                .checked=${live(at === this.at)}
                @change=${(): void => {
                  this.at = at;
                  this.clear();
                  this.home.changed();
                }}
              /><span dir="auto">${title}</span></label
            >`,
        )}
      </div>
      ${current ? html`<div class="inner plain">${current.field.draw({ title: current.title, hideTitle: true })}</div>` : nothing}`;
  }
}
