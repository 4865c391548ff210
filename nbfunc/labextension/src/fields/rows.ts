/** Rows that can be added, removed and moved: lists and dicts. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";

import { isObject, kindOf, type Json, type JsonObject, type SchemaNode } from "../schema.js";
import { itemsFault } from "./checks.js";
import { Field, Misfit, fromText, quoted, type Frame, type Home } from "./field.js";
import { FileField, accept, dropZone } from "./file.js";
import { fillInto, object, place } from "./group.js";

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
