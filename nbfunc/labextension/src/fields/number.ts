/** Numbers, typed or slid; integers keep their digits where a double would round. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { encode, type Json } from "../schema.js";
import { t } from "../words.js";
import { numberFault } from "./checks.js";
import { Misfit, quoted, type Control } from "./field.js";
import { InputField } from "./input.js";

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
    // Doubles do for a control; numberFault compares digit by digit.
    const bound = (closed?: number | bigint, open?: number | bigint, towards = 0): number | undefined =>
      closed !== undefined ? Number(closed) : open === undefined ? undefined : Number(open) + towards;
    return {
      min: bound(inner.minimum, inner.exclusiveMinimum, step),
      max: bound(inner.maximum, inner.exclusiveMaximum, -step),
    };
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
      throw new Misfit(this.integer ? t`${quoted(value)} is not a whole number.` : t`${quoted(value)} is not a number.`);
    }
  }

  override value(): Json | undefined {
    return parseNumber(this.draft.trim(), this.integer, this.words);
  }

  protected override fault(): string {
    const text = this.draft.trim();
    if (this.bad || (text && this.value() === undefined)) {
      return this.integer ? t`Enter a whole number.` : t`Enter a number.`;
    }
    if (!text) return this.integer ? t`Enter a whole number.` : t`Enter a number.`;
    const value = this.value();
    const inner = this.node.anyOf?.find((one) => one.type === "number" || one.type === "integer");
    return typeof value === "string" ? "" : numberFault({ ...this.node, ...inner }, value as number | bigint);
  }

  override put(control: Control): void {
    this.bad = control.validity.badInput;
    super.put(control);
  }

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
      @input=${this.typed}
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
