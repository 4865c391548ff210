/** Rows that can be added, removed and moved; what lists and dicts share. */

import { html, nothing, type TemplateResult } from "lit";

import type { SchemaNode } from "../schema.js";
import { t } from "../words.js";
import { Field } from "./field.js";

export interface Row {
  key: number;
  field: Field;
}

let keys = 0;

/** A key for a row that no other row of the page has. */
export function rowKey(): number {
  return ++keys;
}

/** Rows that can be added, removed and moved; what lists and dicts share. */
export abstract class RowsField<R extends Row> extends Field {
  override readonly compound = true;
  protected rows: R[] = [];
  protected abstract readonly item: SchemaNode;

  protected abstract row(): R;

  override children(): Field[] {
    return this.rows.map(({ field }) => field);
  }

  /** Whether the default stands, which is not shown: to leave out every row is to take it. */
  protected get standing(): boolean {
    return !this.rows.length && (this.hints.default_hidden ?? this.hints.default_name !== undefined);
  }

  /** What is used while there is no row. */
  protected standingNote(): TemplateResult | typeof nothing {
    if (!this.standing) return nothing;
    const { default_name: name } = this.hints;
    return html`<p class="note">${name ? t`Without a row, “${name}” is used.` : t`Without a row, the default is used.`}</p>`;
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
              aria-label=${t`Move ${what} up`}
              title=${t`Move up (Alt+↑)`}
              aria-disabled=${at === 0 ? "true" : nothing}
              @click=${(): void => this.move(row, -1, up)}
            >
              ↑</button
            ><button
              type="button"
              class="quiet icon"
              id=${down}
              aria-label=${t`Move ${what} down`}
              title=${t`Move down (Alt+↓)`}
              aria-disabled=${at === this.rows.length - 1 ? "true" : nothing}
              @click=${(): void => this.move(row, 1, down)}
            >
              ↓
            </button>`
        : nothing}<button
        type="button"
        class="quiet icon"
        id="${this.id}-remove-${row.key}"
        aria-label=${t`Remove ${what}`}
        title=${t`Remove`}
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
