/** A table of any length: a window of real rows in a real <table>; the server answers pages, sort and search. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { Api, type TableQuery } from "../api.js";
import type { Column, TableOutput } from "../events.js";
import { encode, type Json } from "../schema.js";
import { styles } from "../style.js";
import { t } from "../words.js";
import { tableStyles } from "./table-style.js";

const PAGE = 200;
const KEPT_PAGES = 50;
/** A table that is still being written answers late, and a browser has six connections to a host. */
const MOST_ASKED = 2;
/** Pixels, as the style has it. */
const ROW = 30;
const SPARE = 10;
/** Browsers give up on elements of tens of millions of pixels; above this a row is less than its height. */
const HIGHEST = 8_000_000;
const VIEW = 420;

export class TableView extends LitElement {
  static override styles = [styles, tableStyles];
  static override properties = { output: { attribute: false } };
  declare output: TableOutput;

  private readonly api = new Api("", "");
  private control = new AbortController();
  private pages = new Map<number, Json[][]>();
  private asked = new Set<number>();
  private sort: number | undefined;
  private descending = false;
  private q = "";
  private matching = 0;
  private top = 0;
  private problem = "";
  private typing: ReturnType<typeof setTimeout> | undefined;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("output")) return;
    this.matching = this.output.total;
    this.problem = "";
    this.pages = new Map();
    // What came with the result spares the first request where it is all there is.
    if (this.output.rows.length >= this.output.total) this.pages.set(0, this.output.rows);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.control.abort();
    this.control = new AbortController();
    this.asked.clear();
  }

  private get whole(): boolean {
    return this.output.rows.length >= this.output.total && this.sort === undefined && !this.q;
  }

  private cells(row: number): Json[] | undefined {
    if (this.sort === undefined && !this.q && row < this.output.rows.length) return this.output.rows[row];
    return this.pages.get(Math.floor(row / PAGE))?.[row % PAGE];
  }

  /** Ask for the pages of a window that are not there. */
  private want(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) {
      if (this.asked.size >= MOST_ASKED) return;
      const from = Math.max(first, page * PAGE);
      if (this.pages.has(page) || this.asked.has(page) || page * PAGE >= Math.max(1, this.matching)) continue;
      if (this.cells(from) && this.cells(Math.min(last, (page + 1) * PAGE, this.matching) - 1)) continue;
      this.asked.add(page);
      void this.load(page);
    }
  }

  private async load(page: number): Promise<void> {
    const { signal } = this.control;
    const query: TableQuery = {
      offset: page * PAGE,
      limit: PAGE,
      sort: this.sort,
      descending: this.descending,
      q: this.q,
    };
    const answer = await this.api.tablePage(this.output.url, query, signal);
    if (signal.aborted) return;
    this.asked.delete(page);
    if (answer.ok) {
      this.problem = "";
      this.pages.set(page, answer.value.rows);
      this.matching = answer.value.matching;
      const oldest = this.pages.keys().next();
      if (this.pages.size > KEPT_PAGES && !oldest.done) this.pages.delete(oldest.value);
    } else {
      this.problem = answer.failure.reason === "expired" ? t`The rest of this table is not there any more: run again.` : answer.failure.message;
    }
    this.requestUpdate();
  }

  /** Another order or search: what was asked for is void. */
  private again(): void {
    this.control.abort();
    this.control = new AbortController();
    this.pages.clear();
    this.asked.clear();
    this.top = 0;
    this.problem = "";
    const scroller = this.renderRoot.querySelector(".scroll");
    if (scroller) scroller.scrollTop = 0;
    if (this.sort === undefined && !this.q) this.matching = this.output.total;
    if (this.whole) this.pages.set(0, this.output.rows);
    this.requestUpdate();
  }

  private readonly retry = (): void => {
    this.problem = "";
    this.requestUpdate();
  };

  private by(column: number): void {
    if (this.sort !== column) {
      this.sort = column;
      this.descending = false;
    } else if (!this.descending) this.descending = true;
    else {
      this.sort = undefined;
      this.descending = false;
    }
    this.again();
  }

  private readonly typed = (event: Event): void => {
    clearTimeout(this.typing);
    this.q = (event.target as HTMLInputElement).value.trim();
    this.typing = setTimeout(() => this.again(), 250);
  };

  private readonly scrolled = (event: Event): void => {
    this.top = (event.target as HTMLElement).scrollTop;
    this.requestUpdate();
  };

  /** Which rows are in view, and how far down the first of them is drawn. */
  private window(): { first: number; last: number; height: number; offset: number } {
    const height = Math.min(this.matching * ROW, HIGHEST);
    const fit = Math.ceil(VIEW / ROW);
    const scaled = height < this.matching * ROW;
    const share = Math.min(1, this.top / Math.max(1, height - VIEW + ROW));
    const at = scaled ? Math.round(share * (this.matching - fit + 1)) : Math.floor(this.top / ROW);
    const first = Math.max(0, Math.min(at, this.matching - fit) - SPARE);
    const last = Math.min(this.matching, at + fit + SPARE);
    const offset = scaled ? Math.max(0, Math.min(this.top - (at - first) * ROW, height - (last - first) * ROW)) : first * ROW;
    return { first, last, height, offset };
  }

  protected override render(): TemplateResult {
    const { columns, total, csv } = this.output;
    const { first, last, height, offset } = this.window();
    // Each answer draws the table anew: what could not be had waits for who asks for it.
    if (!this.whole && !this.problem) this.want(first, last);
    const count = this.q
      ? t`${this.matching.toLocaleString("en")} of ${total.toLocaleString("en")} rows`
      : total === 1 ? t`${1} row` : t`${total.toLocaleString("en")} rows`;
    const rows: TemplateResult[] = [];
    for (let row = first; row < last; row += 1) rows.push(this.row(row));
    const width = columns.reduce((sum, one, at) => sum + this.width(one, at), 0);
    return html`<div class="card table">
      <div class="bar">
        <span class="note" role="status">${count}</span>
        <span class="space"></span>
        ${total > 10 || this.q
          ? html`<input type="search" placeholder=${t`Search`} aria-label=${t`Search the table`} @input=${this.typed} />`
          : nothing}
        <a class="button small" href=${csv} download>CSV</a>
      </div>
      ${this.problem
        ? html`<p class="problem" role="alert">
            ${this.problem}
            <button type="button" class="quiet small" @click=${this.retry}>${t`Try again`}</button>
          </p>`
        : nothing}
      <div class="scroll" tabindex="0" role="region" aria-label=${t`Table`} @scroll=${this.scrolled}>
        <table aria-rowcount=${this.matching + 1} style="min-width: ${width}ch">
          <colgroup>
            ${columns.map((one, at) => html`<col style="width: ${this.width(one, at)}ch" />`)}
          </colgroup>
          <thead>
            <tr aria-rowindex="1">
              ${columns.map((one, at) => this.header(one, at))}
            </tr>
          </thead>
          <tbody>
            <tr class="space" aria-hidden="true"><td colspan=${columns.length} style="height: ${offset}px"></td></tr>
            ${rows}
            <tr class="space" aria-hidden="true">
              <td colspan=${columns.length} style="height: ${Math.max(0, height - offset - (last - first) * ROW)}px"></td>
            </tr>
          </tbody>
        </table>
      </div>
    </div>`;
  }

  private header(column: Column, at: number): TemplateResult {
    const sorted = this.sort === at ? (this.descending ? "descending" : "ascending") : "none";
    return html`<th scope="col" class=${column.type} aria-sort=${sorted}>
      <button type="button" title=${t`Sort by ${column.name}`} @click=${(): void => this.by(at)}>
        <span dir="auto">${column.name}</span><span class="arrow" aria-hidden="true">${{ ascending: "▲", descending: "▼", none: "" }[sorted]}</span>
      </button>
    </th>`;
  }

  private row(row: number): TemplateResult {
    const cells = this.cells(row);
    return html`<tr aria-rowindex=${row + 2} class=${row % 2 ? "odd" : ""}>
      ${this.output.columns.map(({ type }, at) => {
        if (!cells) return html`<td class="wait">·</td>`;
        const cell = cells[at] ?? null;
        if (cell === null) return html`<td class="${type} missing">–</td>`;
        const text = typeof cell === "string" ? cell : encode(cell);
        return html`<td class=${type} dir="auto" title=${text.length > 30 ? text.slice(0, 1000) : nothing}>${text.slice(0, 300)}</td>`;
      })}
    </tr>`;
  }

  private readonly widths = new Map<Column, number>();

  /** Of a column, in characters, by the rows that came with the result: fixed, so that scrolling moves nothing. */
  private width(column: Column, at: number): number {
    const known = this.widths.get(column);
    if (known !== undefined) return known;
    const longest = this.output.rows.slice(0, 100).reduce((most, row) => {
      const cell = row[at] ?? null;
      return Math.max(most, typeof cell === "string" ? cell.length : encode(cell).length);
    }, column.name.length + 2);
    const width = Math.min(Math.max(longest, 4), 40) + 4;
    this.widths.set(column, width);
    return width;
  }
}

customElements.define("nbfunc-table", TableView);
