/** Colors: the picker, and the same as text. */

import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import type { Json } from "../schema.js";
import { t } from "../words.js";
import { Misfit, quoted } from "./field.js";
import { InputField } from "./input.js";

/** `Color`: the picker, and the same as text. */
export class ColorField extends InputField {
  override draft = "#000000";

  override fill(value: Json): void {
    const hex = typeof value === "string" ? fullHex(value) : null;
    if (!hex) throw new Misfit(t`${quoted(value)} is not a color (#1e90ff).`);
    this.draft = hex;
  }

  override value(): Json | undefined {
    return fullHex(this.draft) ?? undefined;
  }

  protected override fault(): string {
    return fullHex(this.draft) ? "" : t`Write a color as #1e90ff, or pick one.`;
  }

  protected override body(): TemplateResult {
    return html`<div class="row">
      <input
        type="color"
        aria-label=${t`Pick ${this.label}`}
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
