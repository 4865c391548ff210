/** One function's form as a widget, for the panel and for a tab: the form element, its menu, and how its kernel stands. */

import { Clipboard } from "@jupyterlab/apputils";
import { PathExt, URLExt } from "@jupyterlab/coreutils";
import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { TranslationBundle } from "@jupyterlab/translation";
import { CommandRegistry } from "@lumino/commands";
import type { Message } from "@lumino/messaging";
import { Menu, Widget } from "@lumino/widgets";
import { html, nothing, render, type TemplateResult } from "lit";

import type { FunctionRow } from "../api.js";
import type { FormElement } from "../form.js";
import type { Json } from "../schema.js";
import { targetOf, type Catalog, type Target } from "./catalog.js";
import type { Server } from "./door.js";
import { stateText } from "./list.js";
import { richRenderer } from "./rich.js";
import * as snippets from "./snippets.js";

export interface FormOptions {
  server: Server;
  catalog: Catalog;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  target: Target;
  /** Back to the list; a tab has none. */
  back?: () => void;
  /** Open beside the notebook; a tab is there already. */
  beside?: (target: Target) => void;
  openNotebook: (path: string) => void;
  runCells: (path: string) => void;
}

export class FormView extends Widget {
  target: Target;
  private row: FunctionRow | undefined;
  private form: FormElement | null = null;
  private readonly head = document.createElement("div");
  private readonly body = document.createElement("div");
  private readonly menu: Menu;
  private readonly life = new AbortController();
  private looking: AbortController | null = null;

  constructor(private readonly options: FormOptions) {
    super();
    this.target = options.target;
    this.addClass("nbf-form");
    this.title.label = options.target.name;
    this.head.className = "nbf-head";
    this.body.className = "nbf-body";
    this.node.append(this.head, this.body);
    this.menu = this.makeMenu();
    options.catalog.changed.connect(this.update, this);
  }

  /** Whether the person sees the form of this address. */
  shows(url: string): boolean {
    return this.isVisible && !document.hidden && this.row?.url === url;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.options.catalog.changed.disconnect(this.update, this);
    this.looking?.abort();
    this.life.abort();
    this.menu.dispose();
    super.dispose();
  }

  protected override onAfterShow(): void {
    this.look();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) this.look();
  }

  protected override onAfterHide(): void {
    this.looking?.abort();
  }

  protected override onBeforeDetach(): void {
    this.looking?.abort();
  }

  private look(): void {
    this.looking?.abort();
    this.looking = new AbortController();
    this.options.catalog.hold(this.looking.signal);
    this.update();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.form?.focusFirst();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    const row = this.options.catalog.find(this.target);
    if (row) {
      this.target = targetOf(row);
      this.title.label = row.title;
      this.title.caption = row.notebook ? `${row.title} · ${row.notebook}` : row.title;
      if (row.url !== this.row?.url) this.put(row);
    }
    this.row = row ?? this.row;
    render(this.header(row), this.head);
  }

  /** The form of this function, in place of the one before. */
  private put(row: FunctionRow): void {
    const { server, rendermime } = this.options;
    const form = document.createElement("nbfunc-form");
    form.setAttribute("form", server.absolute(row.url));
    form.setAttribute("shared", server.api.shared);
    // A form is remembered by its notebook, which outlives kernels.
    if (row.notebook) form.setAttribute("key", `${row.notebook}#${row.name}`);
    form.toggleAttribute("plain", true);
    form.toggleAttribute("focusfirst", this.form === null);
    form.door = server.door;
    form.renderer = richRenderer(rendermime, this.life.signal);
    this.form = form;
    this.body.replaceChildren(form);
  }

  private header(row: FunctionRow | undefined): TemplateResult {
    const { trans, back, openNotebook } = this.options;
    const { notebook } = this.target;
    const state = row?.state ?? "";
    return html`<div class="nbf-row">
        ${back
          ? html`<button type="button" class="nbf-button" aria-label=${trans.__("All functions")} title=${trans.__("All functions")} @click=${back}>
              ←
            </button>`
          : nothing}
        ${notebook
          ? html`<button type="button" class="nbf-link" dir="auto" title=${notebook} @click=${(): void => openNotebook(notebook)}>
              ${PathExt.basename(notebook)}
            </button>`
          : nothing}
        ${state && state !== "idle" ? html`<span class="nbf-state">${stateText(state, trans)}</span>` : nothing}
        <span class="nbf-space"></span>
        <button
          type="button"
          class="nbf-button"
          aria-haspopup="menu"
          aria-label=${trans.__("More about this function")}
          title=${trans.__("More")}
          @click=${(event: Event): void => {
            const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
            this.menu.open(left, bottom);
          }}
        >
          ⋯
        </button>
      </div>
      ${this.trouble(row)}`;
  }

  /** What is wrong around the form, and what to do. */
  private trouble(row: FunctionRow | undefined): TemplateResult | typeof nothing {
    const { trans, catalog, runCells } = this.options;
    const { health } = catalog;
    if (health.kind === "loading") return nothing;
    if (health.kind === "unreachable") return html`<p class="nbf-trouble" role="status">${health.failure.message}</p>`;
    if (health.kind !== "ready") {
      return html`<p class="nbf-trouble" role="status">${trans.__("The Jupyter server has no nbfunc of this version any more.")}</p>`;
    }
    if (row?.state === "restarting" || row?.state === "autorestarting") {
      return html`<p class="nbf-trouble" role="status">${trans.__("The kernel restarts.")}</p>`;
    }
    if (row) return nothing;
    const { notebook } = this.target;
    return html`<div class="nbf-trouble" role="status">
      <p>${trans.__("“%1” is not running: its kernel was restarted or shut down, or it was removed.", this.title.label)}</p>
      ${notebook
        ? html`<button type="button" class="nbf-button" @click=${(): void => runCells(notebook)}>
            ${trans.__("Run the notebook's cells")}
          </button>`
        : nothing}
    </div>`;
  }

  private get values(): Json {
    return this.form?.values ?? {};
  }

  /** The address that outlives the kernel, where there is a notebook. */
  private get link(): string {
    const { server } = this.options;
    const { notebook, name } = this.target;
    if (!notebook) return server.absolute(this.row?.url ?? "");
    return URLExt.join(server.api.shared, "open", URLExt.encodeParts(notebook), encodeURIComponent(name));
  }

  private makeMenu(): Menu {
    const { trans, beside, server } = this.options;
    const commands = new CommandRegistry();
    const menu = new Menu({ commands });
    const add = (label: string, execute: () => void): void => {
      commands.addCommand(label, { label, execute });
      menu.addItem({ command: label });
    };
    if (beside) add(trans.__("Open Beside the Notebook"), () => beside(this.target));
    add(trans.__("Open in Browser"), () => window.open(server.absolute(this.row?.url ?? ""), "_blank", "noopener"));
    add(trans.__("Copy Link"), () => Clipboard.copyToSystem(this.link));
    add(trans.__("Copy as curl"), () =>
      Clipboard.copyToSystem(snippets.curl(server.absolute(this.row?.url ?? ""), this.values)));
    add(trans.__("Copy as Python"), () =>
      Clipboard.copyToSystem(snippets.python(server.absolute(this.row?.url ?? ""), this.values)));
    return menu;
  }
}
