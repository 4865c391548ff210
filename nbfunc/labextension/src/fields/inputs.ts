/** Fields of one native control that holds text: text, number, e-mail, dates and times, duration. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { isoDuration, parseDuration, spokenDuration } from "../measure.js";
import { encode, type Json } from "../schema.js";
import { lengthFault, numberFault, patternFault } from "./checks.js";
import { Field, Misfit, quoted } from "./field.js";

abstract class InputField extends Field {
  /** As it stands in the control. */
  draft = "";

  override prefill(texts: string[]): void {
    this.fill(texts.at(-1) ?? "");
  }

  override keep(): Json | undefined {
    return this.draft;
  }

  override restore(kept: Json): void {
    if (typeof kept === "string") this.draft = kept;
  }

  protected readonly typed = (event: Event): void => {
    this.draft = (event.target as HTMLInputElement).value;
    this.edited();
  };
}

/** `str`: a line, several with `rows`, dots with `password`. */
export class TextField extends InputField {
  private revealed = false;

  override fill(value: Json): void {
    this.draft = typeof value === "string" ? value : JSON.stringify(value);
    if (typeof value !== "string") throw new Misfit(`${quoted(value)} is not a text.`);
  }

  override prefill(texts: string[]): void {
    if (!this.hints.password) super.prefill(texts);
  }

  override value(): Json {
    return this.draft;
  }

  override keep(): Json | undefined {
    return this.hints.password ? undefined : this.draft;
  }

  override adopt(old: Field): void {
    if (old instanceof TextField && this.hints.password && old.hints.password) this.draft = old.draft;
    else super.adopt(old);
  }

  protected override fault(): string {
    return lengthFault(this.node, this.draft) || patternFault(this.node, this.draft);
  }

  protected override body(): TemplateResult {
    const { rows, password, placeholder } = this.hints;
    if (rows) {
      return html`<textarea
        id=${this.id}
        rows=${rows}
        dir="auto"
        placeholder=${placeholder ?? nothing}
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        .value=${live(this.draft)}
        @input=${this.typed}
        @change=${this.left}
      ></textarea>`;
    }
    const control = html`<input
      id=${this.id}
      type=${password && !this.revealed ? "password" : this.kind === "email" ? "email" : "text"}
      dir="auto"
      autocomplete=${password ? "new-password" : this.kind === "email" ? "email" : "off"}
      spellcheck=${password || this.kind === "email" ? "false" : nothing}
      placeholder=${placeholder ?? nothing}
      aria-describedby=${this.described}
      aria-invalid=${this.invalid}
      .value=${live(this.draft)}
      @input=${this.typed}
      @change=${this.left}
    />`;
    if (!password) return control;
    return html`<div class="joined">
      ${control}<button
        type="button"
        class="quiet"
        aria-pressed=${this.revealed ? "true" : "false"}
        aria-label="Show ${this.label}"
        @click=${this.reveal}
      >
        ${this.revealed ? "Hide" : "Show"}
      </button>
    </div>`;
  }

  private readonly reveal = (): void => {
    this.revealed = !this.revealed;
    this.home.redraw();
  };
}

/** `Email`: the server decides; here only what is plainly none. */
export class EmailField extends TextField {
  protected override fault(): string {
    if (!this.draft.trim()) return "Enter an e-mail address.";
    if (!/^[^\s@]+@[^\s@]+$/.test(this.draft.trim())) return "This is not an e-mail address: name@example.org.";
    return super.fault();
  }

  override value(): Json {
    return this.draft.trim();
  }
}

/** `int`, `float`: a number, or a slider where both bounds are known. */
export class NumberField extends InputField {
  private bad = false;

  private get integer(): boolean {
    return this.node.type === "integer";
  }

  /** "NaN" and "Infinity" are values here, so the control has to take letters. */
  private get words(): string[] {
    const found = this.node.anyOf?.find((one) => one.enum)?.enum ?? [];
    return found.filter((one) => typeof one === "string");
  }

  private get bounds(): { min: number | undefined; max: number | undefined } {
    const node = this.node.anyOf?.find((one) => one.type === "number" || one.type === "integer") ?? this.node;
    const inner = { ...this.node, ...node };
    const step = this.integer ? 1 : 0;
    const min = inner.minimum ?? (inner.exclusiveMinimum === undefined ? undefined : inner.exclusiveMinimum + step);
    const max = inner.maximum ?? (inner.exclusiveMaximum === undefined ? undefined : inner.exclusiveMaximum - step);
    return { min, max };
  }

  private get step(): number | "any" {
    return this.node.multipleOf ?? (this.integer ? 1 : "any");
  }

  private get slider(): boolean {
    const { min, max } = this.bounds;
    return !!this.hints.slider && min !== undefined && max !== undefined;
  }

  /** A slider always stands somewhere. */
  override settle(): void {
    const { min, max } = this.bounds;
    if (this.draft === "" && this.slider && min !== undefined && max !== undefined) {
      const half = (min + max) / 2;
      const grain = typeof this.step === "number" ? this.step : (max - min) / 100;
      this.draft = String(Number((min + Math.floor((half - min) / grain) * grain).toPrecision(12)));
    }
  }

  override fill(value: Json): void {
    const text = typeof value === "string" ? value.trim() : encode(value);
    this.draft = text;
    this.bad = false;
    if (typeof value === "boolean" || value === null || parseNumber(text, this.integer, this.words) === undefined) {
      if (!this.words.length) this.draft = "";
      throw new Misfit(`${quoted(value)} is not ${this.integer ? "a whole number" : "a number"}.`);
    }
  }

  override value(): Json | undefined {
    return parseNumber(this.draft.trim(), this.integer, this.words);
  }

  protected override fault(): string {
    const text = this.draft.trim();
    if (this.bad || (text && this.value() === undefined)) {
      return this.integer ? "Enter a whole number." : "Enter a number.";
    }
    if (!text) return this.integer ? "Enter a whole number." : "Enter a number.";
    const value = this.value();
    const inner = this.node.anyOf?.find((one) => one.type === "number" || one.type === "integer");
    return typeof value === "string" ? "" : numberFault({ ...this.node, ...inner }, value as number | bigint);
  }

  private readonly number = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    this.bad = input.validity.badInput;
    this.draft = input.value;
    this.edited();
  };

  protected override body(): TemplateResult {
    const { min, max } = this.bounds;
    if (this.slider) {
      const unit = this.draft || "–";
      return html`<div class="slider">
        <input
          id=${this.id}
          type="range"
          min=${min ?? nothing}
          max=${max ?? nothing}
          step=${this.step === "any" ? "any" : this.step}
          aria-describedby=${this.described}
          aria-invalid=${this.invalid}
          style="--at: ${this.share()}"
          .value=${live(this.draft)}
          @input=${this.slid}
          @change=${this.left}
        /><output for=${this.id}>${unit}</output>
        <span class="ends" aria-hidden="true"><span>${min}</span><span>${max}</span></span>
      </div>`;
    }
    const words = this.words.length > 0;
    return html`<input
      id=${this.id}
      class="short"
      type=${words ? "text" : "number"}
      inputmode=${this.integer && (min ?? -1) >= 0 ? "numeric" : "decimal"}
      min=${words ? nothing : (min ?? nothing)}
      max=${words ? nothing : (max ?? nothing)}
      step=${words ? nothing : this.step}
      placeholder=${this.hints.placeholder ?? nothing}
      autocomplete="off"
      required
      aria-describedby=${this.described}
      aria-invalid=${this.invalid}
      .value=${live(this.draft)}
      @input=${this.number}
      @change=${this.left}
    />`;
  }

  private readonly slid = (event: Event): void => {
    const value = Number((event.target as HTMLInputElement).value);
    // A range of step "any" stops between pixels: 0.30000000000000004 is nobody's choice.
    this.draft = String(Number(value.toPrecision(this.step === "any" ? 4 : 12)));
    this.edited();
  };

  private share(): string {
    const { min = 0, max = 1 } = this.bounds;
    return `${(((Number(this.draft) - min) / (max - min || 1)) * 100).toFixed(2)}%`;
  }
}

/** The number that a text is, digit by digit where a double would round. */
export function parseNumber(text: string, integer: boolean, words: string[] = []): Json | undefined {
  if (words.includes(text)) return text;
  if (integer ? !/^[+-]?\d+$/.test(text) : !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    // 1e3 and 5.0 are whole numbers too, to a browser's number field.
    if (!integer || !/^[+-]?\d+(\.\d*)?(e\+?\d+)?$/i.test(text) || !Number.isSafeInteger(Number(text))) return undefined;
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  if (integer && !Number.isSafeInteger(value)) return BigInt(text);
  return value;
}

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
    if (!isWhen(this.control, local)) throw new Misfit(`${quoted(value)} is not ${this.wanted}.`);
    // Whole minutes are shown, and edited, as such.
    this.draft = local.replace(/(:\d\d):00(\.0+)?$/, "$1");
    this.zone = zone;
  }

  private get wanted(): string {
    return { date: "a date (2026-05-31)", time: "a time (18:30)", datetime: "a date and time (2026-05-31T18:30)" }[this.control];
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
    return this.draft ? "" : `Enter ${this.wanted.replace(/ \(.*/, "")}.`;
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

/** `timedelta`: typed as people say it, submitted as ISO 8601, and read back in words. */
export class DurationField extends InputField {
  override fill(value: Json): void {
    const text = typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
    const seconds = parseDuration(text);
    this.draft = seconds === null || !/^[-+]?P/i.test(text) ? text : shortDuration(seconds);
    if (seconds === null) throw new Misfit(`${quoted(value)} is not a duration (1h 30m, 1:30:00, PT90M, or seconds).`);
  }

  override value(): Json | undefined {
    const seconds = parseDuration(this.draft);
    return seconds === null ? undefined : isoDuration(seconds);
  }

  protected override fault(): string {
    if (!this.draft.trim()) return "Enter a duration, such as 1h 30m.";
    return parseDuration(this.draft) === null ? "Write a duration as 1h 30m, 1:30:00, PT90M, or in seconds." : "";
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

/** `Color`: the picker, and the same as text. */
export class ColorField extends InputField {
  override draft = "#000000";

  override fill(value: Json): void {
    const hex = typeof value === "string" ? fullHex(value) : null;
    if (!hex) throw new Misfit(`${quoted(value)} is not a color (#1e90ff).`);
    this.draft = hex;
  }

  override value(): Json | undefined {
    return fullHex(this.draft) ?? undefined;
  }

  protected override fault(): string {
    return fullHex(this.draft) ? "" : "Write a color as #1e90ff, or pick one.";
  }

  protected override body(): TemplateResult {
    return html`<div class="row">
      <input
        type="color"
        aria-label="Pick ${this.label}"
        .value=${live(fullHex(this.draft) ?? "#000000")}
        @input=${this.typed}
      /><input
        id=${this.id}
        class="short"
        type="text"
        spellcheck="false"
        autocomplete="off"
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        .value=${live(this.draft)}
        @input=${this.typed}
        @change=${this.left}
      />
    </div>`;
  }
}

/** "#abc" → "#aabbcc"; null for what is no color. */
export function fullHex(text: string): string | null {
  const hex = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(text.trim())?.[1]?.toLowerCase();
  if (!hex) return null;
  return `#${hex.length === 3 ? hex.replace(/./g, "$&$&") : hex}`;
}
