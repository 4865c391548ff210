/** `list[T]`: rows of one field each; of files, several chosen at once. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { kindOf, type Json, type SchemaNode } from "../schema.js";
import { isSame, isUnfinished, type Unfinished } from "../uploads.js";
import { t } from "../words.js";
import { itemsFault } from "./checks.js";
import { Misfit, fromText, quoted, type Field, type Frame, type Home } from "./field.js";
import { FileField, accept, dropZone, waitingNote } from "./file.js";
import { fillInto, place } from "./group.js";
import { RowsField, rowKey, type Row } from "./rows.js";

/** `list[T]`. */
export class ListField extends RowsField<Row> {
  protected override readonly item = this.node.items ?? {};
  private readonly files = kindOf(this.item) === "file";
  /** Files that were here before the page was loaded again, or in an earlier run. */
  private waiting: Unfinished[] = [];

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    if (!this.files && !this.standing) this.rows = Array.from({ length: node.minItems ?? 0 }, () => this.row());
  }

  protected override row(): Row {
    return { key: rowKey(), field: this.home.make(this.item, this.name) };
  }

  override fill(value: Json): void {
    if (!Array.isArray(value)) throw new Misfit(t`${quoted(value)} is not a list.`);
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
    return this.standing ? undefined : this.rows.map(({ field }) => field.value() ?? null);
  }

  override keep(): Json | undefined {
    const kept = this.rows.map(({ field }) => field.keep() ?? null);
    return [...kept, ...this.waiting.map((one) => ({ ...one }))];
  }

  override restore(kept: Json): void {
    if (!Array.isArray(kept)) return;
    if (this.files) {
      this.restoreFiles(kept.flatMap((one: unknown) => (isUnfinished(one) ? [one] : [])));
      return;
    }
    this.replace(
      kept.map((one) => {
        const row = this.row();
        if (one !== null) row.field.restore(one);
        return row;
      }),
    );
  }

  private restoreFiles(known: Unfinished[]): void {
    const here = this.uploads();
    const unchanged = here.length === known.length && known.every((one, at) => here[at] && isSame(one, here[at].file));
    if (unchanged) return;
    this.replace([]);
    this.waiting = known;
  }

  override adopt(old: Field): void {
    if (!(old instanceof ListField)) return;
    this.waiting = old.waiting;
    this.rows = old.rows.map(({ field }) => {
      const row = this.row();
      row.field.adopt(field, field.fresh());
      return row;
    });
  }

  override child(part: string | number): Field | undefined {
    return this.rows[Number(part)]?.field;
  }

  protected override fault(): string {
    const [next] = this.waiting;
    if (next) return waitingNote(next);
    if (this.standing) return "";
    return itemsFault(this.node, this.rows.length, this.files ? "files" : "rows");
  }

  override get focusId(): string {
    return this.rows[0]?.field.focusId ?? `${this.id}-add`;
  }

  protected override body(): TemplateResult {
    if (this.files) return this.fileBody();
    return html`${this.list()}${this.standingNote()}${this.addButton(this.rows.length ? t`Add another` : t`Add one`)}`;
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
    const { default_name: standing } = this.hints;
    const take = (files: File[]): void => {
      for (const file of files) {
        if (this.full) {
          this.problem = itemsFault(this.node, this.rows.length + 1, "files");
          break;
        }
        const row = this.row();
        const begun = this.waiting.find((one) => isSame(one, file)) ?? null;
        if (row.field instanceof FileField) row.field.take(file, begun);
        this.waiting = this.waiting.filter((one) => one !== begun);
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
          aria-label=${t`Add files to ${this.label}`}
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
          <span class="button" aria-hidden="true">${t`Choose files`}</span
          ><span class="note"
            >${this.standing && standing
              ? t`or drop them here; without one, “${standing}” is used`
              : t`or drop them here`}</span
          >
        </div>
        ${this.waiting.map((one) => this.waitingView(one))}`,
      take,
    )}`;
  }
  private waitingView(one: Unfinished): TemplateResult {
    return html`<div class="upload">
      <div class="what"><b dir="auto">${one.name}</b><span class="note">${waitingNote(one)}</span></div>
      <button
        type="button"
        class="quiet icon"
        aria-label=${t`Leave out ${one.name}`}
        title=${t`Leave out`}
        @click=${(): void => {
          this.waiting = this.waiting.filter((other) => other !== one);
          this.home.focus(`${this.id}-add`);
          this.edited();
        }}
      >
        ✕
      </button>
    </div>`;
  }
}
