/** `<nbfunc-form>`: the form of one function, and its runs below it. */

import { LitElement, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { Api, type Failure } from "./api.js";
import { pageStream, type EventStream, type PageEvent } from "./events.js";
import { GroupField } from "./fields/group.js";
import type { Field, Home } from "./fields/field.js";
import { makeField } from "./fields/index.js";
import { Memory } from "./memory.js";
import { prefill } from "./prefill.js";
import { Run } from "./run.js";
import { runView, stateText, type RunActions } from "./run-view.js";
import { same, type FormSchema, type Json, type Problem } from "./schema.js";
import { styles } from "./style.js";

/** Runs that a tab keeps of a form, the newest first. */
const KEPT_RUNS = 10;
/** Outputs that one press of "Show more" draws. */
const MORE = 500;

type Sending = "" | "uploads" | "posting";

let ids = 0;

export class FormElement extends LitElement {
  static override styles = styles;
  static override properties = {
    form: {},
    shared: {},
    /** Put the focus on the first field once it is there. */
    focusfirst: { type: Boolean },
  };
  declare form: string;
  declare shared: string;
  declare focusfirst: boolean;

  private api!: Api;
  private stream!: EventStream;
  private memory!: Memory;
  private control = new AbortController();
  private schema: FormSchema | null = null;
  private fields: GroupField | null = null;
  private runs: Run[] = [];
  private readonly extra = new WeakMap<Run, number>();
  private readonly watched = new WeakSet<Run>();
  private sending: Sending = "";
  /** Why the form could not be had, or the submit was not taken. */
  private failure: Failure | null = null;
  /** What is wrong with the submit, and has no field. */
  private unplaced: Problem[] = [];
  private gone = "";
  private trouble: string | null = null;
  private said = "";
  private focusNext: string | null = null;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private saving: ReturnType<typeof setTimeout> | undefined;
  private drawing = false;

  private readonly home: Home = this.makeHome();

  constructor() {
    super();
    this.form = "";
    this.shared = "";
    this.focusfirst = false;
  }

  private makeHome(): Home {
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
    };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Lumino sees the host as the target of keys typed within, and would take them for Lab's shortcuts.
    this.dataset["lmSuppressShortcuts"] = "true";
    this.control = new AbortController();
    const { signal } = this.control;
    const form = new URL(this.form, document.baseURI);
    this.api = new Api(form.href.replace(/\/$/, ""), new URL(this.shared, document.baseURI).href);
    this.memory = new Memory(`nbfunc:${form.pathname}`, sessionStorage);
    this.stream = pageStream(this.api);
    addEventListener("pagehide", () => this.remember(), { signal });
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.remember();
    this.control.abort();
    clearInterval(this.ticking);
    this.ticking = undefined;
  }

  /** Draw before the next picture, however many events come until then. */
  private soon(): void {
    if (this.drawing) return;
    this.drawing = true;
    const draw = (): void => {
      this.drawing = false;
      this.requestUpdate();
    };
    if (document.hidden) setTimeout(draw, 200);
    else requestAnimationFrame(draw);
  }

  private async load(): Promise<void> {
    const { signal } = this.control;
    const answer = await this.api.schema(signal);
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
    const query = new URLSearchParams(location.search);
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const asked = [...query.keys()].some((name) => fields.fields.has(name));
    // A link with values means them; a reload of it means what was put in since.
    if (kept && !(asked && navigation?.type === "navigate")) fields.restore(kept.values);
    else prefill(fields, query);
    this.runs = (kept?.runs ?? []).map((one) => new Run(one.id, one));
    const [newest] = this.runs;
    if (newest) this.watch(newest);
    this.stream.listen(
      {
        event: (event) => this.around(event),
        back: () => void this.refresh(),
        trouble: (failure) => {
          const lost = failure?.reason === "unreachable";
          this.trouble = lost ? "The connection to the server is lost." : (failure?.message ?? null);
          this.soon();
        },
      },
      signal,
    );
    if (this.focusfirst) this.focusNext = fields.focusId;
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
      this.fields.adopt(old);
      old.dispose();
      this.schema = answer.value;
      this.said = "The form has changed.";
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
    this.gone = "This function was removed. What you typed stays here until you leave.";
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
    const runs = this.runs.map(({ id, started, ended }) => ({ id, started, ended }));
    this.memory.write({ values: this.fields.keep(), runs });
  }

  private watch(run: Run): void {
    if (this.watched.has(run)) return;
    this.watched.add(run);
    this.stream.watch(
      run.id,
      0,
      {
        event: (event) => {
          const before = stateText(run);
          run.apply(event);
          if (stateText(run) !== before) {
            this.said = run.error ? `Failed: ${run.error.type}: ${run.error.message}` : stateText(run);
            this.remember();
          }
          this.soon();
        },
        unknown: () => {
          run.forget();
          // One that was remembered over a reload and is gone has nothing to show.
          if (run.terminal.empty && !run.outputs.length) this.runs = this.runs.filter((one) => one !== run);
          this.remember();
          this.soon();
        },
      },
      this.control.signal,
    );
  }

  private readonly submit = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    const { fields } = this;
    if (!fields || this.sending) return;
    this.failure = null;
    this.unplaced = [];
    if (!this.passes(fields.check())) return;
    const uploads = fields.uploads();
    // What a run has taken goes with that run.
    for (const upload of uploads) if (upload.spent) upload.again();
    if (uploads.some(({ state }) => state === "sending" || state === "waiting")) {
      this.to("uploads");
      await Promise.all(uploads.map(({ settled }) => settled));
      if (!this.passes(fields.check())) {
        this.to("");
        return;
      }
    }
    this.to("posting");
    await this.post(fields, true);
    this.to("");
  };

  private to(sending: Sending): void {
    this.sending = sending;
    this.requestUpdate();
  }

  /** Whether nothing is wrong; otherwise go to the first field that is. */
  private passes(wrong: Field[]): boolean {
    const [first] = wrong;
    if (!first) return true;
    this.said = wrong.length === 1 ? "One value needs another look." : `${wrong.length} values need another look.`;
    this.focusNext = first.focusId;
    this.requestUpdate();
    return false;
  }

  private async post(fields: GroupField, resend: boolean): Promise<void> {
    const sent = fields.uploads();
    const answer = await this.api.start(fields.value());
    if (answer.ok) {
      for (const upload of sent) upload.spent = true;
      this.began(answer.value);
      return;
    }
    if (answer.failure.status === 422 && resend && (await this.sendAgain(fields, answer.failure.problems))) {
      await this.post(fields, false);
      return;
    }
    this.refused(fields, answer.failure);
  }

  /** Send the files again whose upload a refusal says is gone; whether there were any. */
  private async sendAgain(fields: GroupField, problems: Problem[]): Promise<boolean> {
    const blamed = problems.flatMap(({ loc }) => fields.find(loc).field.uploads());
    const lost = [];
    for (const upload of new Set(blamed)) if (!(await upload.stands())) lost.push(upload);
    for (const upload of lost) upload.again();
    if (lost.length) this.to("uploads");
    await Promise.all(lost.map(({ settled }) => settled));
    return lost.length > 0 && fields.check().length === 0;
  }

  private refused(fields: GroupField, failure: Failure): void {
    const wrong: Field[] = [];
    for (const problem of failure.problems) {
      const { field, rest } = fields.find(problem.loc);
      if (field === fields) this.unplaced.push(problem);
      else {
        field.problem = [rest.join(" › "), problem.msg].filter(Boolean).join(": ");
        wrong.push(field);
      }
    }
    if (!this.passes(wrong) && !this.unplaced.length) return;
    this.failure = failure;
    this.said = failure.message;
    this.requestUpdate();
  }

  private began(id: string): void {
    const run = new Run(id);
    this.runs = [run, ...this.runs].slice(0, KEPT_RUNS);
    this.said = stateText(run);
    this.watch(run);
    this.remember();
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector(".runs")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    });
  }

  private async cancel(run: Run): Promise<void> {
    run.cancelling();
    this.said = stateText(run);
    this.requestUpdate();
    const answer = await this.api.cancel(run.id);
    if (answer.ok || answer.failure.status === 404) return;
    if (run.state === "cancelling") run.state = "running";
    this.failure = answer.failure;
    this.requestUpdate();
  }

  private readonly reset = (): void => {
    if (!this.schema) return;
    this.fields?.dispose();
    this.fields = this.make(this.schema);
    this.failure = null;
    this.unplaced = [];
    this.focusNext = this.fields.focusId;
    this.said = "The form is as it was at first.";
    this.changed();
  };

  private readonly keyed = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.submit();
  };

  protected override updated(): void {
    const id = this.focusNext;
    this.focusNext = null;
    if (id !== null) (this.renderRoot as ShadowRoot).getElementById(id)?.focus();
    this.tick();
  }

  /** Redraw each second while a clock runs: a run's, or a file's hour. */
  private tick(): void {
    const counts = this.runs.some((run) => run.live || run.files.length > 0);
    if (counts) this.ticking ??= setInterval(() => this.soon(), 1000);
    else {
      clearInterval(this.ticking);
      this.ticking = undefined;
    }
  }

  protected override render(): TemplateResult {
    return html`<div class="page" @keydown=${this.keyed}>
      ${this.schema ? this.heading(this.schema) : html`<slot></slot>`}
      ${this.fields ? this.formView(this.fields) : this.failure ? this.broken(this.failure) : this.waiting()}
      <div class="sr" role="status" aria-live="polite">${this.said}</div>
      ${this.runs.length ? this.runsView() : nothing}
    </div>`;
  }

  private heading({ title, description }: FormSchema): TemplateResult {
    return html`<header>
      <h1 dir="auto">${title}</h1>
      ${description ? html`<p class="description" dir="auto">${description}</p>` : nothing}
    </header>`;
  }

  private waiting(): TemplateResult {
    return html`<p class="note loading">Loading…</p>`;
  }

  private broken(failure: Failure): TemplateResult {
    return html`${this.failed(failure)}
      <p><button type="button" @click=${(): void => void this.load()}>Try again</button></p>`;
  }

  private failed(failure: Failure): TemplateResult {
    const unplaced = this.unplaced.map(
      ({ loc, msg }) => html`<li dir="auto">${loc.length ? html`<b>${loc.join(" › ")}</b>: ` : nothing}${msg}</li>`,
    );
    return html`<div class="card error" role="alert">
      <p dir="auto">${unplaced.length ? "The form was not taken." : failure.message}</p>
      ${unplaced.length ? html`<ul>${unplaced}</ul>` : nothing}
      ${failure.status === 401
        ? html`<p><a class="button small" href=${this.api.login} target="_blank">Log in in a new tab</a></p>`
        : nothing}
    </div>`;
  }

  private formView(fields: GroupField): TemplateResult {
    const label = { "": "Run", uploads: "Waiting for uploads…", posting: "Starting…" }[this.sending];
    return html`<form novalidate @submit=${this.submit} aria-label=${this.schema?.title ?? ""}>
      ${this.gone ? html`<p class="trouble" role="alert">${this.gone}</p>` : nothing}
      <div class="fields">${fields.children().map((field) => field.draw())}</div>
      ${this.failure ? this.failed(this.failure) : nothing}
      <div class="bar submit">
        <button type="submit" class="primary" aria-disabled=${this.sending ? "true" : nothing} title="Ctrl+Enter">
          ${label}
        </button>
        ${fields.children().length
          ? html`<button type="button" class="quiet" @click=${this.reset}>Reset</button>`
          : nothing}
      </div>
    </form>`;
  }

  private runsView(): TemplateResult {
    const [newest, ...earlier] = this.runs;
    return html`<section class="runs" aria-label="Results">
      ${newest ? repeat([newest], ({ id }) => id, (run) => runView(run, this.actions(run))) : nothing}
      ${earlier.length
        ? html`<div class="earlier">
            <h2>Earlier</h2>
            ${repeat(earlier, ({ id }) => id, (run) => this.earlierView(run))}
          </div>`
        : nothing}
    </section>`;
  }

  private earlierView(run: Run): TemplateResult {
    const when = run.started === null ? "" : new Date(run.started).toLocaleTimeString([], { timeStyle: "medium" });
    return html`<details
      @toggle=${(event: Event): void => {
        if ((event.target as HTMLDetailsElement).open) this.watch(run);
        this.soon();
      }}
    >
      <summary>${when || "Run"}${this.watched.has(run) ? html` <span class="note">${stateText(run)}</span>` : nothing}</summary>
      ${runView(run, this.actions(run))}
    </details>`;
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
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "nbfunc-form": FormElement;
  }
}
