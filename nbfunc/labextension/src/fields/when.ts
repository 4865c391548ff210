/** Dates and times, in the browser's own pickers. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import type { Json } from "../schema.js";
import { t } from "../words.js";
import { Misfit, quoted } from "./field.js";
import { InputField } from "./input.js";

const CONTROLS = { date: "date", time: "time", datetime: "datetime-local" } as const;
const SHAPES = {
  date: /^(\d{4}-\d\d-\d\d)$/,
  time: /^()([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$/,
  datetime: /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$/,
} as const;
const ZONE = /(Z|[+-]\d\d:?\d\d)$/i;

/** Whether a date or time, without offset, is of its kind and there is such a day. */
export function isWhen(kind: keyof typeof SHAPES, text: string): boolean {
  const found = SHAPES[kind].exec(text);
  if (!found) return false;
  const day = found[1];
  if (!day) return true;
  const date = new Date(`${day}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** `date`, `time`, `datetime`. An offset that the value came with stays with it. */
export class WhenField extends InputField {
  private zone = "";

  private get control(): "date" | "time" | "datetime" {
    return this.kind === "date" || this.kind === "time" ? this.kind : "datetime";
  }

  override fill(value: Json): void {
    const text = typeof value === "string" ? value.trim().replace(" ", "T") : "";
    const zone = this.kind === "date" ? "" : (ZONE.exec(text)?.[0] ?? "");
    const local = text.slice(0, text.length - zone.length);
    if (!isWhen(this.control, local)) throw new Misfit(this.misfit(quoted(value)));
    // Whole minutes are shown, and edited, as such.
    this.draft = local.replace(/(:\d\d):00(\.0+)?$/, "$1");
    this.zone = zone;
  }

  private misfit(said: string): string {
    return {
      date: t`${said} is not a date (2026-05-31).`,
      time: t`${said} is not a time (18:30).`,
      datetime: t`${said} is not a date and time (2026-05-31T18:30).`,
    }[this.control];
  }

  override value(): Json | undefined {
    return this.draft ? this.draft + this.zone : undefined;
  }

  override keep(): Json {
    return this.draft ? this.draft + this.zone : "";
  }

  override restore(kept: Json): void {
    if (kept === "") {
      this.draft = "";
      return;
    }
    try {
      this.fill(kept);
    } catch (error) {
      // Of another kind than the field is now: it stays as it starts.
      if (!(error instanceof Misfit)) throw error;
    }
  }

  protected override fault(): string {
    if (this.draft) return "";
    return { date: t`Enter a date.`, time: t`Enter a time.`, datetime: t`Enter a date and time.` }[this.control];
  }

  protected override body(): TemplateResult {
    // The control holds milliseconds at most; a finer default stays as it is until it is edited.
    const shown = this.draft.replace(/(\.\d{3})\d+$/, "$1");
    const seconds = /:\d\d:\d\d/.test(shown);
    return html`<div class="row">
      <input
        id=${this.id}
        class="short"
        type=${CONTROLS[this.control]}
        step=${seconds ? (shown.includes(".") ? "0.001" : "1") : nothing}
        required
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        .value=${live(shown)}
        @input=${this.typed}
        @change=${this.left}
      />${this.zone ? html`<span class="note">UTC${this.zone.toUpperCase() === "Z" ? "" : this.zone}</span>` : nothing}
    </div>`;
  }
}
