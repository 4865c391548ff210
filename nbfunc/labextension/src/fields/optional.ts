/** A field that can be left at `None`: a switch beside its title. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { hints, isObject, kindOf, told, type Json, type SchemaNode } from "../schema.js";
import { t } from "../words.js";
import { Field, type Frame, type Home } from "./field.js";
import { FileField } from "./file.js";
import { place } from "./group.js";

/** `T | None`: a field with a switch. */
export class OptionalField extends Field {
  private readonly inner: Field;
  private on: boolean;

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    const [inner = {}] = (node.anyOf ?? []).filter((one) => one.type !== "null");
    this.inner = home.make({ ...inner, title: this.title, "x-nbfunc": { ...hints(inner), ...told(node) } }, name);
    this.on = this.hints.start ?? false;
  }

  override fill(value: Json): void {
    this.on = value !== null;
    if (value !== null) this.inner.fill(value);
  }

  /** The default fills the field; where the switch stands is said apart. */
  override settle(): void {
    this.on = this.hints.start ?? this.on;
  }

  override prefill(texts: string[]): void {
    if (this.inner instanceof FileField || (kindOf(this.inner.node) === "text" && this.inner.hints.password)) return;
    this.on = texts.at(-1) !== "null" || kindOf(this.inner.node) === "text";
    if (this.on) place(this.inner, () => this.inner.prefill(texts));
  }

  override value(): Json | undefined {
    return this.on ? this.inner.value() : null;
  }

  override keep(): Json {
    return { on: this.on, inner: this.inner.keep() ?? null };
  }

  override restore(kept: Json): void {
    if (!isObject(kept)) return;
    this.on = kept["on"] === true;
    if (kept["inner"] !== null && kept["inner"] !== undefined) this.inner.restore(kept["inner"]);
  }

  override adopt(old: Field, start: Field): void {
    if (!(old instanceof OptionalField && start instanceof OptionalField)) return;
    this.on = old.on;
    this.inner.follow(old.inner, start.inner);
  }

  override children(): Field[] {
    return this.on ? [this.inner] : [];
  }

  override dispose(): void {
    this.inner.dispose();
  }

  override child(part: string | number): Field | undefined {
    return this.on ? this.inner.child(part) : undefined;
  }

  /** The inner field shows what is wrong, being what is seen. */
  override find(loc: (string | number)[]): { field: Field; rest: (string | number)[] } {
    return this.on ? this.inner.find(loc) : { field: this.inner, rest: loc };
  }

  override get focusId(): string {
    return this.on ? this.inner.focusId : `${this.inner.id}-switch`;
  }

  override draw(frame: Frame = {}): TemplateResult {
    const title = frame.title ?? this.title;
    const aside = html`<input
      type="checkbox"
      role="switch"
      class="switch"
      id="${this.inner.id}-switch"
      aria-label=${this.inner.compound || this.on ? t`Set ${title}` : nothing}
      .checked=${live(this.on)}
      @change=${(event: Event): void => {
        this.on = (event.target as HTMLInputElement).checked;
        this.inner.clear();
        this.home.changed();
      }}
    />${frame.aside ?? nothing}`;
    return this.inner.draw({
      ...frame,
      title,
      help: frame.help ?? this.node.description ?? this.inner.node.description ?? "",
      aside,
      off: !this.on,
    });
  }

  protected override body(): typeof nothing {
    return nothing;
  }
}
