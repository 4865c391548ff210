/** Text: a line, several, a password, an e-mail address. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { encode, type Json } from "../schema.js";
import { t } from "../words.js";
import { lengthFault, patternFault } from "./checks.js";
import { Misfit, quoted, type Field } from "./field.js";
import { InputField } from "./input.js";

/** `str`: a line, several with `rows`, dots with `password`. */
export class TextField extends InputField {
  private revealed = false;

  override fill(value: Json): void {
    this.draft = typeof value === "string" ? value : encode(value);
    if (typeof value !== "string") throw new Misfit(t`${quoted(value)} is not a text.`);
  }

  override prefill(texts: string[]): void {
    if (!this.hints.password) super.prefill(texts);
  }

  override value(): Json | undefined {
    return this.standing ? undefined : this.draft;
  }

  /** Whether the default stands, which is the author's secret. */
  private get standing(): boolean {
    return !!this.hints.default_hidden && !this.draft;
  }

  override keep(): Json | undefined {
    return this.hints.password ? undefined : this.draft;
  }

  override secret(): boolean {
    return !!this.hints.password;
  }

  protected override withheld(): boolean {
    return this.secret() && this.draft !== "";
  }

  override adopt(old: Field, start: Field): void {
    if (old instanceof TextField && this.hints.password && old.hints.password) this.draft = old.draft;
    else super.adopt(old, start);
  }

  protected override fault(): string {
    return this.standing ? "" : lengthFault(this.node, this.draft) || patternFault(this.node, this.draft);
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
      placeholder=${placeholder ?? (this.hints.default_hidden ? t`Leave empty for the default` : nothing)}
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
        aria-label=${t`Show ${this.label}`}
        @click=${this.reveal}
      >
        ${this.revealed ? t`Hide` : t`Show`}
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
    if (!this.draft.trim()) return t`Enter an e-mail address.`;
    if (!/^[^\s@]+@[^\s@]+$/.test(this.draft.trim())) return t`This is not an e-mail address: name@example.org.`;
    return super.fault();
  }

  override value(): Json {
    return this.draft.trim();
  }
}
