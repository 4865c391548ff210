/** The side panel: the list of functions, or the form of the one that was picked. */

import type { Message } from "@lumino/messaging";
import { Panel } from "@lumino/widgets";

import type { FunctionRow } from "../api.js";
import type { Activity } from "./activity.js";
import type { Catalog, Target } from "./catalog.js";
import { FormView, type FormOptions } from "./form-view.js";
import { FunctionList, type ListOptions } from "./list.js";

export interface PanelOptions extends Omit<ListOptions, "open">, Omit<FormOptions, "target" | "back"> {
  catalog: Catalog;
  activity: Activity;
  /** A function was picked from the list. */
  picked: (row: FunctionRow) => void;
}

export class SidePanel extends Panel {
  private readonly list: FunctionList;
  private form: FormView | null = null;
  private looking: AbortController | null = null;

  constructor(private readonly options: PanelOptions) {
    super();
    this.addClass("nbf-panel");
    this.list = new FunctionList({ ...options, open: options.picked });
    this.addWidget(this.list);
  }

  /** Show a function's form. */
  open(target: Target): void {
    this.form?.dispose();
    this.form = new FormView({ ...this.options, target, back: () => this.back() });
    this.list.hide();
    this.addWidget(this.form);
  }

  shows(url: string): boolean {
    return this.form?.shows(url) ?? false;
  }

  private back(): void {
    this.form?.dispose();
    this.form = null;
    this.list.show();
    this.list.focus();
  }

  protected override onAfterShow(): void {
    this.looking?.abort();
    this.looking = new AbortController();
    this.options.catalog.hold(this.looking.signal);
    void this.options.activity.look();
    this.list.update();
  }

  protected override onAfterHide(): void {
    this.looking?.abort();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.onAfterShow();
  }

  protected override onBeforeDetach(message: Message): void {
    this.looking?.abort();
    super.onBeforeDetach(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (this.form) this.form.activate();
    else this.list.focus();
  }
}
