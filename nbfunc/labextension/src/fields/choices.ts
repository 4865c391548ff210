/** Fields that choose: checkbox, dropdown, several of many. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { encode, hints, same, type Json, type SchemaNode } from "../schema.js";
import { t } from "../words.js";
import { itemsFault } from "./checks.js";
import { Field, Misfit, fromText, quoted, type Control, type Frame } from "./field.js";

/** `bool`. Its label stands beside the box, so the frame has none. */
export class CheckboxField extends Field {
  private on = false;

  override fill(value: Json): void {
    if (typeof value !== "boolean") throw new Misfit(t`${quoted(value)} is neither true nor false.`);
    this.on = value;
  }

  override prefill(texts: string[]): void {
    const text = (texts.at(-1) ?? "").toLowerCase();
    if (!["true", "false", "1", "0", "on", "off", ""].includes(text)) this.fill(text);
    this.on = ["true", "1", "on", ""].includes(text);
  }

  override put(control: Control): void {
    this.on = (control as HTMLInputElement).checked;
    this.edited();
  }

  override value(): Json {
    return this.on;
  }

  override keep(): Json {
    return this.on;
  }

  override restore(kept: Json): void {
    this.on = kept === true;
  }

  override draw(frame: Frame = {}): TemplateResult {
    return frame.aside ? super.draw(frame) : super.draw({ ...frame, hideTitle: true });
  }

  protected override body(frame: Frame): TemplateResult {
    return html`<label class="check">
      <input
        id=${this.id}
        type="checkbox"
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        .checked=${live(this.on)}
        @change=${(event: Event): void => this.put(event.target as Control)}
      /><span dir="auto" class=${frame.hideTitle && !frame.aside && frame.title !== undefined ? "sr" : ""}
        >${frame.aside ? t`Yes` : (frame.title ?? this.title)}</span
      >
    </label>`;
  }
}

/** What a choice offers: its values with their labels. */
interface Option {
  value: Json;
  label: string;
}

function options(node: SchemaNode): Option[] {
  const { labels } = hints(node);
  return (node.enum ?? []).map((value, at) => ({
    value,
    label: labels?.[at] ?? (typeof value === "string" ? value : encode(value)),
  }));
}

/** The option that an address means: by its JSON, or by its text. */
function optionOf(all: Option[], text: string): Option | undefined {
  const json = fromText(text);
  return all.find((one) => one.value === text) ?? all.find((one) => same(one.value, json) || one.label === text);
}

/** What to show where the options could not be asked for. */
function unavailable(field: Field, error: string): TemplateResult {
  return html`<div class="unavailable" role="group" aria-label=${t`${field.title}: no options`}>
    <p dir="auto">${t`The options could not be asked for: ${error}`}</p>
    <button type="button" class="quiet" @click=${(): void => void field.home.refresh()}>${t`Try again`}</button>
  </div>`;
}

/** `Literal`, an `Enum`, a `Dropdown`. */
export class ChoiceField extends Field {
  private readonly options = options(this.node);
  private chosen: Option | undefined = this.options[0];

  override fill(value: Json): void {
    // Without options nothing can be told of the default; the error is shown instead.
    if (this.hints.error) return;
    const option = this.options.find((one) => same(one.value, value));
    if (!option) throw new Misfit(t`${quoted(value)} is not one of the options.`);
    this.chosen = option;
  }

  override prefill(texts: string[]): void {
    const text = texts.at(-1) ?? "";
    const option = optionOf(this.options, text);
    if (!option) throw new Misfit(t`${quoted(text)} is not one of the options.`);
    this.chosen = option;
  }

  override put(control: Control): void {
    this.chosen = this.options[(control as HTMLSelectElement).selectedIndex];
    this.edited();
  }

  override value(): Json | undefined {
    return this.chosen?.value;
  }

  override keep(): Json | undefined {
    return this.chosen?.value;
  }

  override restore(kept: Json): void {
    this.chosen = this.options.find((one) => same(one.value, kept)) ?? this.chosen;
  }

  protected override fault(): string {
    if (this.chosen) return "";
    return this.hints.error ? t`There are no options to choose from: try again.` : t`There is nothing to choose from.`;
  }

  protected override body(): TemplateResult {
    if (this.hints.error) return unavailable(this, this.hints.error);
    return html`<div class="row">
      <select
        id=${this.id}
        aria-describedby=${this.described}
        aria-invalid=${this.invalid}
        @change=${(event: Event): void => this.put(event.target as Control)}
      >
        ${this.options.map((one) => html`<option .selected=${live(one === this.chosen)} dir="auto">${one.label}</option>`)}
      </select>
      ${this.hints.dynamic
        ? html`<button
            type="button"
            class="quiet icon"
            title=${t`Ask for the options again`}
            aria-label=${t`Ask for the options of ${this.label} again`}
            @click=${(): void => void this.home.refresh()}
          >
            ↻
          </button>`
        : nothing}
    </div>`;
  }
}

/** `list[Literal]`, `set[Enum]`: boxes to tick. */
export class ChoicesField extends Field {
  override readonly compound = true;
  private readonly options = options(this.node.items ?? {});
  private readonly chosen = new Set<Option>();

  override fill(value: Json): void {
    if (!Array.isArray(value)) throw new Misfit(t`${quoted(value)} is not a list of options.`);
    this.take(value.map((one) => ({ option: this.options.find((o) => same(o.value, one)), said: one })));
  }

  override prefill(texts: string[]): void {
    const only = texts.length === 1 ? fromText(texts[0] ?? "") : null;
    if (Array.isArray(only)) this.fill(only);
    else this.take(texts.map((text) => ({ option: optionOf(this.options, text), said: text })));
  }

  private take(all: { option: Option | undefined; said: Json }[]): void {
    this.chosen.clear();
    for (const { option } of all) if (option) this.chosen.add(option);
    const odd = all.find(({ option }) => !option);
    if (odd) throw new Misfit(t`${quoted(odd.said)} is not one of the options.`);
  }

  override value(): Json[] {
    return this.options.filter((one) => this.chosen.has(one)).map((one) => one.value);
  }

  override keep(): Json {
    return this.value();
  }

  override restore(kept: Json): void {
    if (!Array.isArray(kept)) return;
    this.chosen.clear();
    for (const one of this.options) if (kept.some((value) => same(value, one.value))) this.chosen.add(one);
  }

  override child(): Field | undefined {
    return this;
  }

  protected override fault(): string {
    return itemsFault(this.node, this.chosen.size, "options");
  }

  private tick(option: Option, on: boolean): void {
    if (on) this.chosen.add(option);
    else this.chosen.delete(option);
    this.edited();
  }

  protected override body(): TemplateResult {
    const error = hints(this.node.items ?? {}).error ?? this.hints.error;
    if (error) return unavailable(this, error);
    const all = this.chosen.size === this.options.length;
    return html`<div class="options">
        ${this.options.map(
          (one) =>
            html`<label class="check"
              ><input
                type="checkbox"
                aria-invalid=${this.invalid}
                .checked=${live(this.chosen.has(one))}
                @change=${(event: Event): void => this.tick(one, (event.target as HTMLInputElement).checked)}
              /><span dir="auto">${one.label}</span></label
            >`,
        )}
      </div>
      ${this.options.length > 5
        ? html`<button
            type="button"
            class="quiet"
            @click=${(): void => {
              for (const one of this.options) this.chosen[all ? "delete" : "add"](one);
              this.edited();
            }}
          >
            ${all ? t`None` : t`All`}
          </button>`
        : nothing}`;
  }
}
