/** `<nbfunc-form>`: the form of one function, and its runs below it. */

import { LitElement, html, nothing, type TemplateResult } from "lit";

import { Api, type Door, type Failure, type Result } from "./api.js";
import { Early } from "./early.js";
import { pageStream, type DisplayOutput, type EventStream, type PageEvent } from "./events.js";
import { GroupField } from "./fields/group.js";
import type { Home } from "./fields/field.js";
import { makeField } from "./fields/index.js";
import { failureView } from "./failure-view.js";
import { historyView } from "./history-view.js";
import { History, type HistoryHome } from "./history.js";
import { Memory } from "./memory.js";
import { prefill } from "./prefill.js";
import type { Run } from "./run.js";
import type { RunActions } from "./run-view.js";
import { same, type FormSchema, type Json } from "./schema.js";
import { styles } from "./style.js";
import { Submission, type SubmissionHome } from "./submission.js";
import { t } from "./words.js";

/** Milliseconds between two pictures, at 60 a second. */
const PICTURE = 17;
/** Outputs that one press of "Show more" draws. */
const MORE = 500;

/** Draw a MIME bundle, or return null to leave it to the element. */
export type DisplayRenderer = (output: DisplayOutput) => HTMLElement | null;

let ids = 0;

export class FormElement extends LitElement {
  static override styles = styles;
  static override properties = {
    form: {},
    shared: {},
    /** Put the focus on the first field once it is there. */
    focusfirst: { type: Boolean },
    /** `?name=value`, to begin with. */
    query: {},
    /** What the form is remembered by in this tab; its address, where nothing is said. */
    key: {},
  };
  declare form: string;
  declare shared: string;
  declare focusfirst: boolean;
  /** How requests leave, where not as the page's own. */
  door: Door | undefined;
  declare query: string;
  declare key: string;
  /** Draws MIME bundles in the element's light DOM, where there is something better than the element's own. */
  renderer: DisplayRenderer | undefined;

  private api!: Api;
  private stream!: EventStream;
  private memory!: Memory;
  private control = new AbortController();
  private schema: FormSchema | null = null;
  private fields: GroupField | null = null;
  /** What the page came with, until the fields stand in its place. */
  private early: Early | null = null;
  private submission!: Submission;
  private history: History | null = null;
  private readonly extra = new WeakMap<Run, number>();
  /** Why the form could not be had, or a run not be cancelled. */
  private failure: Failure | null = null;
  private gone = "";
  private trouble: string | null = null;
  private said = "";
  private focusNext: string | null = null;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private saving: ReturnType<typeof setTimeout> | undefined;
  private drawing = false;
  /** Whether something has changed since the last drawing, for which one is on its way. */
  private stale = false;
  /** When, as `performance.now()` has it. */
  private drawn = 0;

  private readonly home: Home & SubmissionHome & HistoryHome = this.makeHome();

  constructor() {
    super();
    this.form = "";
    this.shared = "";
    this.focusfirst = false;
    this.query = "";
    this.key = "";
  }

  private makeHome(): Home & SubmissionHome & HistoryHome {
    const api = (): Api => this.api;
    return {
      get api() {
        return api();
      },
      changed: () => this.changed(),
      redraw: () => this.soon(),
      refresh: () => this.refresh(),
      id: () => `f${++ids}`,
      focus: (id) => (this.focusNext = id),
      make: (node, name) => makeField(node, name, this.home),
      say: (text) => (this.said = text),
      main: () => this.schema?.where === "main",
      remember: () => this.remember(),
    };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Lumino sees the host as the target of keys typed within, and would take them for Lab's shortcuts.
    this.dataset["lmSuppressShortcuts"] = "true";
    this.control = new AbortController();
    const { signal } = this.control;
    const form = new URL(this.form, document.baseURI);
    this.api = new Api(form.href.replace(/\/$/, ""), new URL(this.shared, document.baseURI).href, this.door);
    this.memory = new Memory(`nbfunc:${this.key || form.pathname}`, sessionStorage);
    this.stream = pageStream(this.api);
    this.submission = new Submission(this.api, this.home);
    addEventListener("pagehide", () => this.remember(), { signal });
    this.early = Early.in(this);
    void this.load(this.api.held(this));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.remember();
    this.control.abort();
    clearInterval(this.ticking);
    this.ticking = undefined;
  }

  /** Draw once for a picture, however many events come for it; at once if nothing was drawn for the one before. */
  private soon(): void {
    this.stale = true;
    if (this.drawing) return;
    this.drawing = true;
    const draw = (): void => {
      this.drawing = false;
      if (!this.stale) return;
      this.drawn = performance.now();
      this.requestUpdate();
    };
    if (document.hidden) setTimeout(draw, 200);
    else if (performance.now() - this.drawn > PICTURE) queueMicrotask(draw);
    else requestAnimationFrame(draw);
  }

  private async load(held: Result<FormSchema> | null = null): Promise<void> {
    const { signal } = this.control;
    const answer = held ?? (await this.api.schema(signal));
    if (this.early?.unsettled) await this.early.settled();
    if (signal.aborted) return;
    if (!answer.ok) {
      this.failure = answer.failure;
      this.requestUpdate();
      return;
    }
    this.failure = null;
    this.schema = answer.value;
    const fields = this.make(answer.value);
    this.fields = fields;
    const kept = this.memory.read();
    const query = new URLSearchParams(this.query);
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const asked = [...query.keys()].some((name) => fields.fields.has(name));
    // A link with values means them; a reload of it means what was put in since.
    if (kept && !(asked && navigation?.type === "navigate")) fields.restore(kept.values);
    else prefill(fields, query);
    const history = new History(this.api, this.stream, this.home, kept?.runs ?? [], signal);
    this.history = history;
    this.stream.listen(
      {
        event: (event) => this.around(event),
        back: () => void this.refresh(),
        trouble: (failure) => {
          if (failure) history.lost();
          const lost = failure?.reason === "unreachable";
          this.trouble = lost ? t`The connection to the server is lost.` : (failure?.message ?? null);
          this.soon();
        },
      },
      signal,
    );
    const at = this.early?.give(fields.fields) ?? (this.focusfirst ? fields : null);
    if (at) this.focusNext = at.focusId;
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent("nbfunc-ready", { bubbles: true, composed: true }));
  }

  private make(schema: FormSchema): GroupField {
    return new GroupField(schema.parameters, schema.name, this.home);
  }

  /** The function may have changed, or its options: what was put in stays where it fits. */
  private async refresh(): Promise<void> {
    const { signal } = this.control;
    const answer = await this.api.schema(signal);
    if (signal.aborted || !this.fields || !this.schema) return;
    if (!answer.ok) {
      if (answer.failure.status === 404) this.gone = answer.failure.message;
      this.soon();
      return;
    }
    this.gone = "";
    const before = this.schema as unknown as Json;
    if (!same(before, answer.value as unknown as Json)) {
      const old = this.fields;
      this.fields = this.make(answer.value);
      this.fields.adopt(old, old.fresh());
      old.dispose();
      this.schema = answer.value;
      this.said = t`The form has changed.`;
    }
    this.soon();
  }

  private around(event: PageEvent): void {
    if (event.kind === "kernel") return;
    if (new URL(event.url, document.baseURI).pathname !== new URL(this.api.form).pathname) return;
    if (event.kind === "changed") {
      void this.refresh();
      return;
    }
    this.gone = t`This function was removed. What you typed stays here until you leave.`;
    this.soon();
  }

  private changed(): void {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.remember(), 300);
    this.requestUpdate();
  }

  private remember(): void {
    clearTimeout(this.saving);
    if (!this.fields) return;
    this.memory.write({ values: this.fields.typed(), runs: this.history?.runs.map((run) => run.kept()) ?? [] });
  }

  private readonly submit = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    const { fields, history } = this;
    if (!fields || !history) return;
    this.failure = null;
    const values = fields.children().length ? fields.keep() : null;
    const begun = await this.submission.submit(fields);
    if (begun === null) return;
    const { run, events } = begun;
    history.begin(run, values, events);
    // Not with the next picture: a short run is over already, and its result is what is waited for.
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent("nbfunc-started", { bubbles: true, composed: true, detail: { run } }));
    await this.updateComplete;
    this.renderRoot.querySelector(".runs")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };

  private async cancel(run: Run): Promise<void> {
    this.failure = (await this.history?.cancel(run)) ?? null;
    this.requestUpdate();
  }

  /** Put the values of an earlier run into the form. */
  private fillIn(run: Run): void {
    const { fields } = this;
    if (!fields) return;
    this.submission.clear();
    fields.clear();
    fields.restore(run.values);
    this.focusNext = fields.focusId;
    this.said = t`The form has the values of that run.`;
    this.changed();
  }

  private again(run: Run): void {
    this.fillIn(run);
    if (!this.fields?.secret()) void this.submit();
    else this.said = t`The form has the values of that run, its passwords apart. Enter them, then run.`;
  }

  focusFirst(): void {
    this.focusNext = this.fields?.focusId ?? null;
    this.requestUpdate();
  }

  /** What is filled in now, as it would be submitted. */
  get values(): Json {
    return this.fields?.value() ?? {};
  }

  private readonly reset = (): void => {
    if (!this.schema) return;
    this.fields?.dispose();
    this.fields = this.make(this.schema);
    this.failure = null;
    this.submission.clear();
    this.focusNext = this.fields.focusId;
    this.said = t`The form is as it was at first.`;
    this.changed();
  };

  private readonly keyed = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.submit();
  };

  protected override updated(): void {
    this.stale = false;
    const id = this.focusNext;
    this.focusNext = null;
    const control = id === null ? null : (this.renderRoot as ShadowRoot).getElementById(id);
    if (this.early && this.fields) {
      this.early.leave(control);
      this.early = null;
    }
    // Where it is not there already.
    control?.focus();
    this.tick();
  }

  /** Redraw each second while a clock runs: a run's, or a file's hour. */
  private tick(): void {
    const counts = this.history?.runs.some((run) => run.live || run.files.length > 0);
    if (counts) this.ticking ??= setInterval(() => this.soon(), 1000);
    else {
      clearInterval(this.ticking);
      this.ticking = undefined;
    }
  }

  protected override render(): TemplateResult {
    return html`<div class="page" @keydown=${this.keyed}>
      ${this.schema ? this.heading(this.schema) : this.early ? nothing : html`<slot></slot>`}
      ${this.fields ? this.formView(this.fields) : this.failure ? this.broken(this.failure) : this.waiting()}
      <div class="sr" role="status" aria-live="polite">${this.said}</div>
      ${this.history ? historyView(this.history, (run) => this.actions(run)) : nothing}
    </div>`;
  }

  private heading({ title, description }: FormSchema): TemplateResult {
    return html`<div class="heading">
      <h1 dir="auto">${title}</h1>
      ${description ? html`<p class="description" dir="auto">${description}</p>` : nothing}
    </div>`;
  }

  private waiting(): TemplateResult {
    return this.early ? html`` : html`<p class="note loading">${t`Loading…`}</p>`;
  }

  private broken(failure: Failure): TemplateResult {
    return html`${failureView(failure, [], this.api.login)}
      <p><button type="button" @click=${(): void => void this.load()}>${t`Try again`}</button></p>`;
  }

  private formView(fields: GroupField): TemplateResult {
    const { sending } = this.submission;
    const label = { "": t`Run`, uploads: t`Waiting for uploads…`, posting: t`Starting…` }[sending];
    const failure = this.submission.failure ?? this.failure;
    return html`<form novalidate @submit=${this.submit} aria-label=${this.schema?.title ?? ""}>
      ${this.gone ? html`<p class="trouble" part="gone" role="alert">${this.gone}</p>` : nothing}
      <div class="fields">${fields.children().map((field) => field.draw())}</div>
      ${failure ? failureView(failure, this.submission.unplaced, this.api.login) : nothing}
      <div class="bar submit">
        <button type="submit" class="primary" aria-disabled=${sending ? "true" : nothing} title="Ctrl+Enter">
          ${label}
        </button>
        ${fields.children().length
          ? html`<button type="button" class="quiet" @click=${this.reset}>${t`Reset`}</button>`
          : nothing}
      </div>
    </form>`;
  }

  private actions(run: Run): RunActions {
    return {
      zip: this.api.zip(run.id),
      cancel: (one) => void this.cancel(one),
      more: (one) => {
        this.extra.set(one, (this.extra.get(one) ?? 0) + MORE);
        this.requestUpdate();
      },
      extra: this.extra.get(run) ?? 0,
      trouble: this.trouble,
      display: (output) => this.displayed(output),
      main: this.home.main(),
      open: (one) => {
        this.history?.open(one);
        this.soon();
      },
      fillIn: (one) => this.fillIn(one),
      again: (one) => this.again(one),
    };
  }

  private readonly slots = new WeakMap<DisplayOutput, string>();

  /** A bundle that the renderer takes stands in the light DOM, and is shown by its slot. */
  private displayed(output: DisplayOutput): TemplateResult | null {
    let name = this.slots.get(output);
    if (name === undefined) {
      const drawn = this.renderer?.(output);
      name = drawn ? `display-${++ids}` : "";
      this.slots.set(output, name);
      if (drawn) {
        drawn.slot = name;
        this.append(drawn);
      }
    }
    return name ? html`<div class="card slotted"><slot name=${name}></slot></div>` : null;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "nbfunc-form": FormElement;
  }
}
