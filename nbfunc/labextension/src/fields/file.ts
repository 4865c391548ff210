/** A file: chosen or dropped, sent at once, submitted by its token. */

import { html, nothing, type TemplateResult } from "lit";

import { humanSize, humanTime } from "../measure.js";
import { hints, type Json, type SchemaNode } from "../schema.js";
import { Upload, isSame, isUnfinished, type Unfinished } from "../uploads.js";
import { t } from "../words.js";
import { Field, Misfit, type Frame } from "./field.js";

/** Why a file is not one for this field; "" if it is. Extensions match in any case. */
export function fileFault(node: SchemaNode, file: { name: string; size: number }): string {
  const { extensions = [], max_size: most } = hints(node);
  const name = file.name.toLowerCase();
  if (extensions.length && !extensions.some((one) => name.endsWith(one.toLowerCase()))) {
    return t`${file.name} is not a file of this kind: ${extensions.join(", ")}.`;
  }
  if (most && file.size > most) return t`${file.name} has ${humanSize(file.size)}; the most is ${humanSize(most)}.`;
  return "";
}

/** The picker's own filter. */
export function accept(node: SchemaNode): string | typeof nothing {
  return hints(node).extensions?.join(",") || nothing;
}

/** The place to drop files on; `take` gets them. */
export function dropZone(
  id: string,
  content: TemplateResult,
  take: (files: File[]) => void,
): TemplateResult {
  const over = (event: DragEvent, on: boolean): void => {
    event.preventDefault();
    (event.currentTarget as HTMLElement).classList.toggle("over", on);
  };
  return html`<div
    class="drop"
    data-drop=${id}
    @dragover=${(event: DragEvent): void => over(event, true)}
    @dragleave=${(event: DragEvent): void => over(event, false)}
    @drop=${(event: DragEvent): void => {
      over(event, false);
      take([...(event.dataTransfer?.files ?? [])]);
    }}
  >
    ${content}
  </div>`;
}

/** What stands for a file over a reload: the browser forgets the file with its page. */
export function waitingNote({ name, size, sent }: Unfinished): string {
  return sent > 0 && sent < size ? t`${humanSize(sent)} of ${humanSize(size)} are sent: choose ${name} again to go on.` : t`Choose ${name} again.`;
}

export class FileField extends Field {
  private upload: Upload | null = null;
  /** The file that was here before the page was loaded again, or in an earlier run. */
  private waiting: Unfinished | null = null;

  override fill(value: Json): void {
    // The default of a file is a path on the server: shown by `default_name`, used by leaving the argument out.
    if (value !== null && typeof value !== "string") throw new Misfit(t`A file cannot be filled in: choose one.`);
  }

  override prefill(): void {
    // Never from an address: a link must not choose what is sent.
  }

  override value(): Json | undefined {
    return this.upload?.token ? { upload: this.upload.token } : undefined;
  }

  override keep(): Json {
    const known = this.upload?.unfinished ?? this.waiting;
    return known && { ...known };
  }

  override restore(kept: Json): void {
    const known = isUnfinished(kept) ? kept : null;
    if (this.upload && known && isSame(known, this.upload.file)) return;
    this.dispose();
    this.waiting = known;
  }

  override adopt(old: Field): void {
    if (!(old instanceof FileField)) return;
    this.waiting = old.waiting;
    if (!old.upload || fileFault(this.node, old.upload.file)) return;
    this.upload = old.upload;
    old.upload = null;
  }

  override uploads(): Upload[] {
    return this.upload ? [this.upload] : [];
  }

  override dispose(): void {
    this.upload?.cancel();
    this.upload = null;
    this.waiting = null;
  }

  /** Send this file, in place of the one before; from where `begun` stands, if it is that file. */
  take(file: File, begun = this.waiting): void {
    const fault = fileFault(this.node, file);
    if (fault) {
      this.problem = fault;
      this.home.redraw();
      return;
    }
    this.dispose();
    const known = begun && isSame(begun, file) ? begun : null;
    this.upload = new Upload(this.home.api, file, () => this.home.redraw(), known);
    this.upload.start();
    this.problem = "";
    this.home.changed();
  }

  protected override fault(): string {
    const { upload, waiting } = this;
    if (waiting) return waitingNote(waiting);
    if (!upload) return typeof this.hints.default_name === "string" ? "" : t`Choose a file.`;
    return upload.state === "failed" ? t`${upload.file.name} was not sent: ${upload.failure?.message ?? ""}` : "";
  }

  private readonly picked = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) this.take(file);
    // So that choosing the same file again is a change again.
    input.value = "";
  };

  protected override body(frame: Frame): TemplateResult {
    const { upload, waiting } = this;
    if (frame.row && upload) return html`<div class="sent">${this.sending(upload, false)}</div>`;
    const { extensions = [], default_name: standing } = this.hints;
    return dropZone(
      this.id,
      html`<input
          id=${this.id}
          class="picker"
          type="file"
          accept=${accept(this.node)}
          aria-describedby=${this.described}
          aria-invalid=${this.invalid}
          @change=${this.picked}
        />
        ${upload
          ? this.sending(upload, true)
          : html`<div class="prompt">
              <span class="button" aria-hidden="true">${t`Choose a file`}</span>
              <span class="note"
                >${waiting
                  ? html`<b dir="auto">${waitingNote(waiting)}</b>`
                  : typeof standing === "string"
                  ? t`or drop one here; without one, “${standing}” is used`
                  : t`or drop it here`}${extensions.length && extensions.length <= 8
                  ? html`<br />${extensions.join(" ")}`
                  : nothing}</span
              >
            </div>`}`,
      ([file]) => {
        if (file) this.take(file);
      },
    );
  }

  private sending(upload: Upload, removable: boolean): TemplateResult {
    const { size, name } = upload.file;
    const share = size ? upload.sent / size : upload.state === "done" ? 1 : 0;
    const left = upload.speed ? (size - upload.sent) / upload.speed : 0;
    const under = {
      waiting: t`Waiting`,
      sending: upload.speed
        ? t`${humanSize(upload.sent)} of ${humanSize(size)} · ${humanSize(upload.speed)}/s · ${humanTime(left)} left`
        : t`${humanSize(upload.sent)} of ${humanSize(size)}`,
      done: humanSize(size),
      failed: t`Not sent`,
      cancelled: t`Cancelled`,
    }[upload.state];
    return html`<div class="upload ${upload.state}">
      <div class="what"><b dir="auto">${name}</b><span class="note">${under}</span></div>
      ${upload.state === "sending" || upload.state === "waiting"
        ? html`<progress aria-label=${t`Sending ${name}`} max="1" .value=${share}></progress>`
        : nothing}
      ${upload.state === "failed"
        ? html`<button type="button" class="quiet" @click=${(): void => this.retry(upload)}>${t`Try again`}</button>`
        : nothing}
      ${removable
        ? html`<button
            type="button"
            class="quiet icon"
            aria-label=${upload.state === "done" ? t`Remove ${name}` : t`Cancel ${name}`}
            title=${upload.state === "done" ? t`Remove` : t`Cancel`}
            @click=${this.drop}
          >
            ✕
          </button>`
        : nothing}
    </div>`;
  }

  private retry(upload: Upload): void {
    this.problem = "";
    upload.start();
    this.home.redraw();
  }

  private readonly drop = (): void => {
    this.dispose();
    this.home.focus(this.id);
    this.edited();
  };
}
