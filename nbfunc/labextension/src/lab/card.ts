/** What `%func_to_web` leaves in a cell's output: a card with a button for each function that it exposed. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import type { TranslationBundle } from "@jupyterlab/translation";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { html, nothing, render, type TemplateResult } from "lit";

import type { FunctionRow } from "../api.js";
import { isObject } from "../schema.js";
import { targetOf, type Catalog, type Target } from "./catalog.js";

export const CARD_TYPE = "application/vnd.nbfunc.card+json";

interface CardFunction {
  name: string;
  title: string;
  description: string;
  url: string;
  form: string;
}

export interface CardOptions {
  catalog: Catalog;
  trans: TranslationBundle;
  /** The path of the notebook that holds a node; it may have been moved since the card was made. */
  notebookOf: (node: HTMLElement) => string | null;
  open: (target: Target) => void;
  runCells: (path: string) => void;
  /** Whether an address is one of nbfunc's on this server: what a notebook holds is not to be trusted. */
  ours: (url: string) => boolean;
}

export class Card extends Widget implements IRenderMime.IRenderer {
  private functions: CardFunction[] | null = null;
  private notebook: string | null = null;
  private looking: AbortController | null = null;

  constructor(private readonly options: CardOptions) {
    super();
    this.addClass("nbf-card");
    options.catalog.changed.connect(this.update, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data: unknown = model.data[CARD_TYPE];
    const known = isObject(data) && data["version"] === 1 && Array.isArray(data["functions"]);
    this.functions = known ? (data["functions"] as unknown[]).filter(isCardFunction) : null;
    this.notebook = isObject(data) && typeof data["notebook"] === "string" ? data["notebook"] : null;
    this.draw();
    return Promise.resolve();
  }

  override dispose(): void {
    this.options.catalog.changed.disconnect(this.update, this);
    this.looking?.abort();
    super.dispose();
  }

  protected override onAfterAttach(): void {
    this.looking = new AbortController();
    this.options.catalog.hold(this.looking.signal);
  }

  protected override onBeforeDetach(): void {
    this.looking?.abort();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    this.draw();
  }

  private draw(): void {
    render(this.view(), this.node);
  }

  private get path(): string | null {
    return this.options.notebookOf(this.node) ?? this.notebook;
  }

  private view(): TemplateResult {
    const { trans, catalog, runCells } = this.options;
    if (!this.functions) return html`<p>${trans.__("This card is of another version of nbfunc.")}</p>`;
    const rows = this.functions.map((one) => ({ one, row: this.running(one) }));
    const gone = catalog.health.kind === "ready" && rows.some(({ row }) => !row);
    const { path } = this;
    return html`<ul>
        ${rows.map(({ one, row }) => html`<li>${this.entry(one, row)}</li>`)}
      </ul>
      ${gone
        ? html`<div class="nbf-row nbf-gone">
            <span class="nbf-note">${trans.__("Not running: its kernel was restarted or shut down.")}</span>
            ${path === null
              ? nothing
              : html`<button type="button" class="nbf-button" @click=${(): void => runCells(path)}>
                  ${trans.__("Run the notebook's cells")}
                </button>`}
          </div>`
        : nothing}`;
  }

  private entry(one: CardFunction, row: FunctionRow | undefined): TemplateResult {
    const { trans, open, ours } = this.options;
    const target = row ? targetOf(row) : { name: one.name, kernel: null, notebook: this.path };
    return html`<div class="nbf-row">
      <div class="nbf-what">
        <span class="nbf-title" dir="auto">${row?.title ?? one.title}</span>
        ${one.description ? html`<span class="nbf-note" dir="auto">${one.description.split("\n")[0]}</span>` : nothing}
      </div>
      <button
        type="button"
        class="nbf-button nbf-primary"
        aria-label=${trans.__("Open the form %1", one.title)}
        @click=${(): void => open(target)}
      >
        ${trans.__("Open form")}
      </button>
      ${ours(one.url)
        ? html`<a class="nbf-button" href=${one.url} target="_blank" rel="noopener">${trans.__("In browser")}</a>`
        : nothing}
    </div>`;
  }

  private running(one: CardFunction): FunctionRow | undefined {
    const { catalog } = this.options;
    return (
      catalog.rows.find(({ url }) => url === one.form) ??
      catalog.find({ name: one.name, kernel: null, notebook: this.path })
    );
  }
}

function isCardFunction(value: unknown): value is CardFunction {
  return isObject(value) && ["name", "title", "description", "url", "form"].every((key) => typeof value[key] === "string");
}
