/** A field is a node of the schema with what the person has put in so far; it draws itself. */

import { html, nothing, type TemplateResult } from "lit";

import type { Api } from "../api.js";
import { decode, encode, hints, kindOf, same, type Hints, type Json, type Kind, type Loc, type SchemaNode } from "../schema.js";
import type { Upload } from "../uploads.js";

/** A value that a field cannot hold; `message` is shown at the field. */
export class Misfit extends Error {}

/** A control of HTML's own. */
export type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Where a field lives: the form element. */
export interface Home {
  readonly api: Api;
  /** Something was put in: draw it and remember it. */
  changed(): void;
  /** Something else to draw. */
  redraw(): void;
  /** Ask for the schema again, for fresh options. */
  refresh(): Promise<void>;
  /** An id that no other field of the page has. */
  id(): string;
  /** Put the focus on the element of this id once it is drawn. */
  focus(id: string): void;
  /** Make the field of a node: the table of kinds. */
  make(node: SchemaNode, name: string): Field;
}

/** How its container wants a field drawn. */
export interface Frame {
  /** Instead of the field's own title. */
  title?: string;
  /** Only for screen readers: what stands around says it already. */
  hideTitle?: boolean;
  /** Instead of the field's own description. */
  help?: string;
  /** At the end of the title's line. */
  aside?: TemplateResult;
  /** A row of a list, which has its own button to remove it. */
  row?: boolean;
  /** An optional field that is off: the title's line alone. */
  off?: boolean;
}

export abstract class Field {
  readonly id: string;
  readonly kind: Kind;
  readonly hints: Hints;
  /** What is wrong, as shown; "" if nothing. */
  problem = "";
  /** A fieldset with a legend, rather than a label and one control. */
  readonly compound: boolean = false;

  constructor(
    readonly node: SchemaNode,
    readonly name: string,
    readonly home: Home,
  ) {
    this.id = home.id();
    this.kind = kindOf(node);
    this.hints = hints(node);
  }

  get title(): string {
    return this.node.title ?? this.name;
  }

  /** The title as it is shown: what stands around may have given another. */
  protected get label(): string {
    return this.shownTitle ?? this.title;
  }

  private shownTitle: string | undefined;

  /** Take a JSON value: a default, or one from the address. */
  abstract fill(value: Json): void;

  /** The default, if any, is in: stand where the field starts. */
  settle(): void {
    // Most stand there already.
  }

  /** A person changed the one control that some fields are: take what it holds. */
  put?(control: Control): void;

  /** The JSON to submit; undefined leaves the argument out. */
  abstract value(): Json | undefined;

  /** What a page that is loaded again finds; undefined for what must not be remembered. */
  abstract keep(): Json | undefined;

  /** Whether something here is not remembered, a password. */
  secret(): boolean {
    return this.children().some((child) => child.secret());
  }

  /** Take what `keep` gave, perhaps from a form that has changed since: what does not fit is left. */
  abstract restore(kept: Json): void;

  /** The controls, under the title's line. */
  protected abstract body(frame: Frame): TemplateResult | typeof nothing;

  /** What is wrong with the field itself, its children apart. */
  protected fault(): string {
    return "";
  }

  /** Take text from the page's address: `?name=text`, once or more. */
  prefill(texts: string[]): void {
    this.fill(fromText(texts.at(-1) ?? ""));
  }

  children(): Field[] {
    return [];
  }

  /** The child under one part of an error's path. */
  child(part: string | number): Field | undefined;
  child(): Field | undefined {
    return undefined;
  }

  /** The deepest field on the path, and the part of the path that leads on from it. */
  find(loc: Loc): { field: Field; rest: Loc } {
    const [part, ...rest] = loc;
    const child = part === undefined ? undefined : this.child(part);
    return child ? child.find(rest) : { field: this, rest: loc };
  }

  /** Check this field and all in it; return those that are wrong, in the order of the form. */
  check(): Field[] {
    this.problem = this.fault();
    return [...(this.problem ? [this as Field] : []), ...this.children().flatMap((child) => child.check())];
  }

  /** Check what is filled in, and leave what is known to be wrong as it is. */
  review(): void {
    if (!this.problem && this.value() !== undefined) this.problem = this.fault();
    for (const child of this.children()) child.review();
  }

  /** Forget what was wrong, here and below. */
  clear(): void {
    this.problem = "";
    for (const child of this.children()) child.clear();
  }

  uploads(): Upload[] {
    return this.children().flatMap((child) => child.uploads());
  }

  /** The field is leaving the form. */
  dispose(): void {
    for (const child of this.children()) child.dispose();
  }

  /** This field as it began, with nothing put in. */
  fresh(): Field {
    return this.home.make(this.node, this.name);
  }

  /** Whether a password is typed here, which `keep` withholds. */
  protected withheld(): boolean {
    return this.children().some((child) => child.withheld());
  }

  /** Whether something was put in since this field was as `start` is. */
  touched(start: Field): boolean {
    return this.withheld() || !same(this.keep() ?? null, start.keep() ?? null);
  }

  /** Take over what was put into the field that stood here before the form changed; a default was not. */
  follow(old: Field, start: Field): void {
    if (old.touched(start)) this.adopt(old, start);
  }

  /** Take over what the field holds that stood here before the form changed, and began as `start`. */
  adopt(old: Field, start: Field): void;
  adopt(old: Field): void {
    if (old.kind !== this.kind) return;
    const kept = old.keep();
    if (kept !== undefined) this.restore(kept);
  }

  /** The element that takes the focus. */
  get focusId(): string {
    return this.id;
  }

  protected get described(): string | typeof nothing {
    const ids = [this.shownHelp ? `${this.id}-help` : "", this.problem ? `${this.id}-problem` : ""];
    return ids.filter(Boolean).join(" ") || nothing;
  }

  protected get invalid(): "true" | typeof nothing {
    return this.problem ? "true" : nothing;
  }

  private shownHelp = "";

  /** The person changed the value: an error that was shown goes as soon as it is mended. */
  protected edited(): void {
    if (this.problem) this.problem = this.fault();
    this.home.changed();
  }

  /** The person left the control. */
  protected readonly left = (): void => {
    this.problem = this.fault();
    this.home.redraw();
  };

  draw(frame: Frame = {}): TemplateResult {
    this.shownTitle = frame.title;
    this.shownHelp = (frame.help ?? this.node.description ?? "").trim();
    return this.compound ? this.drawSet(frame) : this.drawOne(frame);
  }

  private drawOne(frame: Frame): TemplateResult {
    const title = frame.title ?? this.title;
    return html`<div class="field ${this.kind}" data-field=${this.name}>
      <div class="head ${frame.hideTitle && !frame.aside ? "sr" : ""}">
        <label for=${frame.off ? `${this.id}-switch` : this.focusId} dir="auto">${title}</label>${frame.aside ?? nothing}
      </div>
      ${frame.off ? nothing : this.body(frame)} ${this.below()}
    </div>`;
  }

  private drawSet(frame: Frame): TemplateResult {
    const title = frame.title ?? this.title;
    return html`<fieldset
      class="field set ${this.kind}"
      id=${this.id}
      tabindex="-1"
      data-field=${this.name}
      aria-describedby=${this.described}
    >
      <legend class=${frame.hideTitle && !frame.aside ? "sr" : ""}>
        <span class="head"><span dir="auto">${title}</span>${frame.aside ?? nothing}</span>
      </legend>
      ${frame.off ? nothing : this.body(frame)} ${this.below()}
    </fieldset>`;
  }

  private below(): TemplateResult {
    return html`${this.shownHelp ? html`<p class="help" id="${this.id}-help" dir="auto">${this.shownHelp}</p>` : nothing}
    ${this.problem ? html`<p class="problem" id="${this.id}-problem" dir="auto">${this.problem}</p>` : nothing}`;
  }
}

/** Text from an address as JSON where it is JSON, else as the text that it is. */
export function fromText(text: string): Json {
  try {
    return decode(text) as Json;
  } catch {
    return text;
  }
}

/** How a misfit names the value that it is about. */
export function quoted(value: Json): string {
  const text = typeof value === "string" ? value : encode(value);
  return `“${text.length > 60 ? `${text.slice(0, 59)}…` : text}”`;
}
