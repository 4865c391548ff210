/**
 * Files of inline forms (`nbfunc.panel`), sent to the server: of any size, resumed, with progress.
 *
 * The form is ipywidgets', and works where this extension does not run. Here the click on its button, and files
 * dropped on it, are taken before they reach it; what was sent is told by a text box beside it that nobody sees.
 * The kernel marks the box `nbfunc-tus` where it can take uploads of the server, and `nbfunc-spent` when a run took
 * what was sent: the next Run sends it again first.
 */

import { html, nothing, render, type TemplateResult } from "lit";

import type { Api } from "../api.js";
import { fileFault } from "../fields/file.js";
import { humanSize, humanTime } from "../measure.js";
import type { SchemaNode } from "../schema.js";
import { Upload } from "../uploads.js";
import { t } from "../words.js";

const BOX = ".nbfunc-upload.nbfunc-tus";

interface Wanted {
  extensions?: string[];
  max_size?: number;
  several?: boolean;
}

/** The files of one upload box. */
class Sending {
  private uploads: Upload[] = [];
  private fault = "";
  private readonly place = document.createElement("div");

  constructor(
    private readonly api: Api,
    private readonly box: Element,
  ) {
    this.place.className = "nbf-sending";
    box.append(this.place);
  }

  private get told(): HTMLInputElement | null {
    return this.box.querySelector<HTMLInputElement>(".widget-text input");
  }

  private get wanted(): Wanted {
    return JSON.parse(this.told?.placeholder || "{}") as Wanted;
  }

  /** Ask for files, as the button would. */
  choose(): void {
    const { extensions = [], several = false } = this.wanted;
    const input = document.createElement("input");
    input.type = "file";
    input.accept = extensions.join(",");
    input.multiple = several;
    input.addEventListener("change", () => this.take([...(input.files ?? [])]));
    input.click();
  }

  /** Send these files, in place of the ones before. */
  take(files: File[]): void {
    const { several = false, ...hints } = this.wanted;
    const chosen = several ? files : files.slice(0, 1);
    if (!chosen.length) return;
    const node = { "x-nbfunc": hints } as unknown as SchemaNode;
    this.fault = chosen.map((file) => fileFault(node, file)).find((one) => one) ?? "";
    if (!this.fault) {
      for (const one of this.uploads) one.cancel();
      this.uploads = chosen.map((file) => new Upload(this.api, file, () => this.draw()));
      this.tell([]);
      for (const one of this.uploads) this.send(one, false);
    }
    this.draw();
  }

  /** Whether a run has to wait, for what is on its way or has to be sent once more. */
  get late(): boolean {
    return this.uploads.some(({ state }) => state === "sending" || state === "waiting") || this.spent;
  }

  private get spent(): boolean {
    return this.uploads.length > 0 && this.box.classList.contains("nbfunc-spent");
  }

  /** Wait until all is there, sent once more if a run took it; return whether it is. */
  async whole(): Promise<boolean> {
    if (this.spent) {
      // Here and now: the kernel's word that it has them comes later.
      this.box.classList.remove("nbfunc-spent");
      for (const one of this.uploads) this.send(one, true);
    }
    await Promise.all(this.uploads.map((one) => one.settled));
    return this.uploads.every(({ state }) => state === "done");
  }

  private send(upload: Upload, again: boolean): void {
    if (again) upload.again();
    else upload.start();
    void upload.settled.then(() => {
      if (this.uploads.includes(upload) && this.uploads.every(({ state }) => state === "done")) this.tell(this.uploads);
    });
  }

  /** Tell the kernel what there is. */
  private tell(uploads: Upload[]): void {
    const { told } = this;
    if (!told) return;
    told.value = JSON.stringify(uploads.map(({ token, file: { name, size } }) => ({ token, name, size })));
    for (const kind of ["input", "change"]) told.dispatchEvent(new Event(kind, { bubbles: true }));
  }

  private drop(upload: Upload): void {
    upload.cancel();
    this.uploads = this.uploads.filter((one) => one !== upload);
    if (this.uploads.every(({ state }) => state === "done")) this.tell(this.uploads);
    this.draw();
    this.box.querySelector<HTMLElement>(".widget-upload")?.focus();
  }

  private draw(): void {
    const unsent = this.uploads.filter(({ state }) => state !== "done");
    render(
      html`${this.fault ? html`<p class="nbfunc-problem" role="alert">${this.fault}</p>` : nothing}
      ${unsent.map((one) => this.row(one))}`,
      this.place,
    );
  }

  private row(upload: Upload): TemplateResult {
    const { file, sent, speed, state, failure } = upload;
    const failed = state === "failed";
    return html`<div class="nbf-row">
      <span dir="auto">${file.name}</span>
      <span class="nbfunc-help"
        >${t`${humanSize(sent)} of ${humanSize(file.size)}`}${speed && !failed
          ? t` · ${humanSize(speed)}/s · ${humanTime((file.size - sent) / speed)} left`
          : nothing}</span
      >
      ${failed
        ? html`<span class="nbfunc-problem" role="alert">${t`Not sent: ${failure?.message ?? ""}`}</span>
            <button type="button" class="nbf-button" @click=${(): void => this.send(upload, false)}>${t`Try again`}</button>`
        : html`<progress aria-label=${t`Sending ${file.name}`} max="1" .value=${file.size ? sent / file.size : 0}></progress>`}
      <button type="button" class="nbf-button" aria-label=${t`Cancel ${file.name}`} @click=${(): void => this.drop(upload)}>
        ${t`Cancel`}
      </button>
    </div>`;
  }
}

/** Let the inline forms of a document send their files to the server. */
export function sendInline(api: Api, document: Document): void {
  const all = new WeakMap<Element, Sending>();
  const waiting = new WeakSet<Element>();
  const boxOf = (event: Event): Element | null => (event.target instanceof Element ? event.target.closest(BOX) : null);
  const of = (box: Element): Sending => {
    const there = all.get(box) ?? new Sending(api, box);
    all.set(box, there);
    return there;
  };
  const taken = (event: Event): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  /** Hold a Run back until its files are there. */
  const hold = async (button: HTMLElement, late: Sending[]): Promise<void> => {
    waiting.add(button);
    const whole = await Promise.all(late.map((one) => one.whole()));
    waiting.delete(button);
    if (whole.every((one) => one)) button.click();
  };

  document.addEventListener(
    "click",
    (event) => {
      const { target } = event;
      if (!(target instanceof Element)) return;
      const box = target.closest(".widget-upload")?.closest(BOX);
      if (box) {
        taken(event);
        of(box).choose();
        return;
      }
      const start = target.closest<HTMLElement>(".nbfunc-start");
      const boxes = start?.closest(".nbfunc-panel")?.querySelectorAll(BOX) ?? [];
      const late = [...boxes].flatMap((one) => all.get(one) ?? []).filter((one) => one.late);
      if (start && late.length) {
        taken(event);
        if (!waiting.has(start)) void hold(start, late);
      }
    },
    true,
  );
  for (const kind of ["dragover", "dragleave", "drop"] as const) {
    document.addEventListener(
      kind,
      (event) => {
        const box = boxOf(event);
        if (!box || !event.dataTransfer?.types.includes("Files")) return;
        taken(event);
        box.classList.toggle("nbf-over", kind === "dragover");
        if (kind === "drop") of(box).take([...event.dataTransfer.files]);
      },
      true,
    );
  }
}
