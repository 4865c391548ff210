/** Durations, typed as people say them. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { isoDuration, parseDuration, spokenDuration } from "../measure.js";
import type { Json } from "../schema.js";
import { t } from "../words.js";
import { Misfit, quoted } from "./field.js";
import { InputField } from "./input.js";

/** `timedelta`: typed as people say it, submitted as ISO 8601, and read back in words. */
export class DurationField extends InputField {
  override fill(value: Json): void {
    const text = typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
    const seconds = parseDuration(text);
    this.draft = seconds === null || !/^[-+]?P/i.test(text) ? text : shortDuration(seconds);
    if (seconds === null) throw new Misfit(t`${quoted(value)} is not a duration (1h 30m, 1:30:00, PT90M, or seconds).`);
  }

  override value(): Json | undefined {
    const seconds = parseDuration(this.draft);
    return seconds === null ? undefined : isoDuration(seconds);
  }

  protected override fault(): string {
    if (!this.draft.trim()) return t`Enter a duration, such as 1h 30m.`;
    return parseDuration(this.draft) === null ? t`Write a duration as 1h 30m, 1:30:00, PT90M, or in seconds.` : "";
  }

  protected override body(): TemplateResult {
    const seconds = parseDuration(this.draft);
    return html`<div class="row">
      <input
        id=${this.id}
        class="short"
        type="text"
        placeholder=${this.hints.placeholder ?? "1h 30m"}
        autocomplete="off"
        required
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        .value=${live(this.draft)}
        @input=${this.typed}
        @change=${this.left}
      /><span class="note">${seconds === null ? nothing : spokenDuration(seconds)}</span>
    </div>`;
  }
}

/** 5400 → "1h 30m". */
export function shortDuration(seconds: number): string {
  const spoken = spokenDuration(seconds).replace(/^minus /, "-");
  return spoken.replace(/ (d|h|m|s)[a-z]*/g, "$1");
}
