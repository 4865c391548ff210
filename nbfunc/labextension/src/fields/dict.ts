/** `dict[str, T]`: rows of a key and a value. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";

import { isObject, type Json, type JsonObject } from "../schema.js";
import { t } from "../words.js";
import { quoted, type Field } from "./field.js";
import { fillInto, object } from "./group.js";
import { RowsField, rowKey, type Row } from "./rows.js";

interface NamedRow extends Row {
  name: string;
}

/** `dict[str, T]`: rows of a key and a value. */
export class DictField extends RowsField<NamedRow> {
  protected override readonly item = isObject(this.node.additionalProperties) ? this.node.additionalProperties : {};

  protected override row(name = ""): NamedRow {
    return { key: rowKey(), name, field: this.home.make(this.item, name) };
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

  override value(): JsonObject | undefined {
    if (this.standing) return undefined;
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
      row.field.adopt(field, field.fresh());
      return row;
    });
  }

  override child(part: string | number): Field | undefined {
    return this.rows.find(({ name }) => name === String(part))?.field;
  }

  protected override fault(): string {
    const names = this.rows.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (names.includes("")) return t`Give every row a key.`;
    return twice === undefined ? "" : t`The key ${quoted(twice)} is there twice.`;
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
              const what = row.name || t`row ${at + 1}`;
              return html`<li class="entry pair" @keydown=${this.keyed(row)}>
                <input
                  class="key"
                  type="text"
                  id=${this.entry(row)}
                  aria-label=${t`Key ${at + 1} of ${this.label}`}
                  placeholder=${t`key`}
                  autocomplete="off"
                  dir="auto"
                  .value=${live(row.name)}
                  @input=${(event: Event): void => {
                    row.name = (event.target as HTMLInputElement).value;
                    this.edited();
                  }}
                />
                <div class="grow">
                  ${row.field.draw({ title: t`Value of ${what}`, hideTitle: true, help: "" })}
                </div>
                ${this.tools(row, at, what)}
              </li>`;
            },
          )}
        </ol>`
      : nothing}
    ${this.standingNote()} ${this.addButton(t`Add a row`)}`;
  }
}
