/** The functions of all running kernels, by notebook, the current notebook's first; with a search. */

import { PathExt } from "@jupyterlab/coreutils";
import type { TranslationBundle } from "@jupyterlab/translation";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { html, nothing, render, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import type { FunctionRow, RunRow } from "../api.js";
import type { Activity } from "./activity.js";
import type { Catalog } from "./catalog.js";
import { emptyView } from "./empty.js";
import { found, grouped } from "./grouping.js";
import { runningView } from "./running.js";

export interface ListOptions {
  catalog: Catalog;
  activity: Activity;
  trans: TranslationBundle;
  /** The path of the notebook that the person works in. */
  notebook: () => string | null;
  open: (row: FunctionRow) => void;
  openNotebook: (path: string) => void;
}

export class FunctionList extends Widget {
  private words = "";

  constructor(private readonly options: ListOptions) {
    super();
    this.addClass("nbf-list");
    const { catalog, activity } = options;
    catalog.changed.connect(this.update, this);
    activity.changed.connect(this.update, this);
    this.node.addEventListener("keydown", this.keyed);
  }

  /** Where typing begins. */
  focus(): void {
    (this.node.querySelector<HTMLElement>("input") ?? this.node.querySelector<HTMLElement>("button"))?.focus();
  }

  override dispose(): void {
    const { catalog, activity } = this.options;
    catalog.changed.disconnect(this.update, this);
    activity.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    render(this.view(), this.node);
  }

  private view(): TemplateResult {
    const { catalog, activity, trans } = this.options;
    const { rows, health } = catalog;
    const running = runningView(activity.runs, this.actions, trans);
    if (!rows.length || health.kind !== "ready") {
      return html`${running}${emptyView(health, trans, () => void catalog.refresh())}`;
    }
    const matching = found(rows, this.words);
    return html`<div class="nbf-search">
        <input
          type="search"
          placeholder=${trans.__("Search functions")}
          aria-label=${trans.__("Search functions")}
          .value=${live(this.words)}
          @input=${(event: Event): void => {
            this.words = (event.target as HTMLInputElement).value;
            this.update();
          }}
        />
      </div>
      ${running}
      <div role="status" class="nbf-note nbf-none">${matching.length ? "" : trans.__("No function matches “%1”.", this.words)}</div>
      ${grouped(matching, this.options.notebook()).map((rows) => this.section(rows))}`;
  }

  private section(rows: FunctionRow[]): TemplateResult {
    const { trans, openNotebook } = this.options;
    const { notebook, state = "" } = rows[0] ?? {};
    const title = notebook ? PathExt.basename(notebook) : trans.__("Without a notebook");
    return html`<section class="nbf-kernel" aria-label=${title}>
      <h3 title=${notebook ?? ""}>
        ${notebook
          ? html`<button type="button" class="nbf-link" dir="auto" @click=${(): void => openNotebook(notebook)}>${title}</button>`
          : title}
        ${state && state !== "idle" ? html`<span class="nbf-state">${stateText(state, trans)}</span>` : nothing}
      </h3>
      <ul>
        ${rows.map((row, at) => {
          const group = row.group ?? "";
          return html`${group && group !== rows[at - 1]?.group ? html`<li class="nbf-group" dir="auto">${group}</li>` : nothing}
            <li>${this.entry(row)}</li>`;
        })}
      </ul>
    </section>`;
  }

  private entry(row: FunctionRow): TemplateResult {
    const [first = ""] = row.description.split("\n");
    return html`<button
      type="button"
      class="nbf-function"
      title=${row.description || row.title}
      @click=${(): void => this.options.open(row)}
    >
      <span class="nbf-title" dir="auto">${row.title}</span>
      ${first ? html`<span class="nbf-note" dir="auto">${first}</span>` : nothing}
    </button>`;
  }

  private readonly actions = {
    title: (run: RunRow): string =>
      this.options.catalog.rows.find(({ url }) => url === run.url)?.title ?? run.function.replaceAll("_", " "),
    show: (run: RunRow): void => {
      const row = this.options.catalog.rows.find(({ url }) => url === run.url);
      if (row) this.options.open(row);
    },
    cancel: (run: RunRow): void => void this.options.activity.cancel(run),
  };

  /** Up and down go through the functions, as in a menu. */
  private readonly keyed = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = [...this.node.querySelectorAll<HTMLElement>("input, .nbf-function")];
    const at = all.indexOf(event.target as HTMLElement);
    const next = all[at + by];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  };
}

/** A kernel's state, in words. */
export function stateText(state: string, trans: TranslationBundle): string {
  switch (state) {
    case "busy":
      return trans.__("busy");
    case "starting":
      return trans.__("starting");
    case "restarting":
    case "autorestarting":
      return trans.__("restarting");
    case "dead":
      return trans.__("dead");
    default:
      return state;
  }
}
