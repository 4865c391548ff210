/** A field of several kinds: which one, then that one. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import { hints, isObject, told, type Json, type SchemaNode } from "../schema.js";
import { t } from "../words.js";
import { Field, Misfit, fromText, quoted, type Home } from "./field.js";
import { fillInto } from "./group.js";

interface Variant {
  /** What `$type` names; null for one that the schema gives bare alone. */
  title: string;
  tagged: boolean;
  field: Field;
}

/** `A | B`: which one, then its field. */
export class VariantsField extends Field {
  override readonly compound = true;
  private readonly variants: Variant[];
  private at: number;

  constructor(node: SchemaNode, name: string, home: Home) {
    super(node, name, home);
    const all = node.anyOf ?? [];
    const tagged = all.flatMap((one) => {
      const title = one.properties?.["$type"]?.const;
      const value = one.properties?.["$value"];
      if (typeof title !== "string" || !value) return [];
      const inner =
        title === this.hints.default_type ? { ...value, "x-nbfunc": { ...hints(value), ...told(node) } } : value;
      return [{ title, tagged: true, field: home.make(inner, title) }];
    });
    this.variants = tagged.length
      ? tagged
      : all.map((one, at) => ({ title: one.title ?? `${at + 1}`, tagged: false, field: home.make(one, name) }));
    this.at = Math.max(
      0,
      this.variants.findIndex(({ title }) => title === this.hints.default_type),
    );
  }

  private get current(): Variant | undefined {
    return this.variants[this.at];
  }

  override fill(value: Json): void {
    if (isObject(value) && typeof value["$type"] === "string") {
      const at = this.variants.findIndex(({ title }) => title === value["$type"]);
      const variant = this.variants[at];
      if (!variant) throw new Misfit(t`${quoted(value["$type"])} is none of the variants.`);
      this.at = at;
      fillInto(variant.field, (value["$value"] ?? null));
      return;
    }
    this.first(value, (field) => {
      field.fill(value);
    });
  }

  override prefill(texts: string[]): void {
    const json = fromText(texts.at(-1) ?? "");
    if (isObject(json)) this.fill(json);
    else {
      this.first(texts.at(-1) ?? "", (field) => {
        field.prefill(texts);
      });
    }
  }

  /** Give a bare value to the first variant that takes it. */
  private first(value: Json, give: (field: Field) => void): void {
    for (const [at, { field }] of this.variants.entries()) {
      try {
        give(field);
      } catch (error) {
        if (error instanceof Misfit) continue;
        throw error;
      }
      const wrong = field.check().length > 0;
      field.clear();
      if (wrong) continue;
      this.at = at;
      return;
    }
    throw new Misfit(t`${quoted(value)} is none of the variants.`);
  }

  override value(): Json | undefined {
    const value = this.current?.field.value();
    if (value === undefined || !this.current?.tagged) return value;
    return { $type: this.current.title, $value: value };
  }

  override keep(): Json {
    return { at: this.at, values: this.variants.map(({ field }) => field.keep() ?? null) };
  }

  override restore(kept: Json): void {
    if (!isObject(kept) || !Array.isArray(kept["values"])) return;
    if (typeof kept["at"] === "number" && kept["at"] < this.variants.length) this.at = kept["at"];
    for (const [at, one] of (kept["values"]).entries()) {
      if (one !== null) this.variants[at]?.field.restore(one);
    }
  }

  override adopt(old: Field, start: Field): void {
    if (!(old instanceof VariantsField && start instanceof VariantsField)) return;
    for (const [at, variant] of this.variants.entries()) {
      const named = ({ title }: Variant): boolean => title === variant.title;
      const before = old.variants.find(named);
      const began = start.variants.find(named);
      if (!before || !began) continue;
      variant.field.follow(before.field, began.field);
      if (before === old.current) this.at = at;
    }
  }

  override children(): Field[] {
    return this.current ? [this.current.field] : [];
  }

  override dispose(): void {
    for (const { field } of this.variants) field.dispose();
  }

  override find(loc: (string | number)[]): { field: Field; rest: (string | number)[] } {
    const [part, ...rest] = loc;
    // The path has no part for "$value"; one for the variant's title is passed over.
    const within = this.current && (part === this.current.title || part === "$value") ? rest : loc;
    return this.current ? this.current.field.find(within) : { field: this, rest: loc };
  }

  protected override body(): TemplateResult {
    const { current } = this;
    return html`<div class="segments" role="radiogroup" aria-label=${t`Kind of ${this.label}`}>
        ${this.variants.map(
          ({ title }, at) =>
            html`<label class="segment"
              ><input
                type="radio"
                name="${this.id}-kind"
                .checked=${live(at === this.at)}
                @change=${(): void => {
                  this.at = at;
                  this.clear();
                  this.home.changed();
                }}
              /><span dir="auto">${title}</span></label
            >`,
        )}
      </div>
      ${current ? html`<div class="inner plain">${current.field.draw({ title: current.title, hideTitle: true })}</div>` : nothing}`;
  }
}
