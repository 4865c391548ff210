/** A field of one native control that holds text. */

import type { Json } from "../schema.js";
import { Field, type Control } from "./field.js";

export abstract class InputField extends Field {
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

  override put(control: Control): void {
    this.draft = control.value;
    this.edited();
  }

  protected readonly typed = (event: Event): void => {
    this.put(event.target as Control);
  };
}
