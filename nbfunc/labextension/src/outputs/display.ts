/** A MIME bundle as a notebook cell would show it: the richest type that is known here. */

import { LitElement, html, type TemplateResult } from "lit";
import { until } from "lit/directives/until.js";

import type { DisplayOutput } from "../events.js";
import { isObject, pretty, type Json } from "../schema.js";
import { styles } from "../style.js";
import { t } from "../words.js";
import { frameView } from "./frame.js";
import { imageView } from "./image.js";
import { textView } from "./text.js";

type View = (value: Json, signal: AbortSignal) => TemplateResult;

/** Richest first; a pattern stands for a family. */
const TYPES: readonly (readonly [RegExp, View])[] = [
  [/^text\/html$/, (value, signal) => framed(value, t`Result, as HTML`, signal)],
  [/^image\/svg\+xml$/, (value, signal) => (linked(value) ? picture(value) : framed(value, t`Result, as SVG`, signal))],
  [/^image\//, picture],
  [/^text\/markdown$/, markdown],
  [/^text\/latex$/, (value) => html`<div class="latex">${textView(text(value))}</div>`],
  [/^application\/json$/, (value) => textView(pretty(value))],
  [/^text\/plain$/, (value) => textView(text(value))],
];

function text(value: Json): string {
  if (Array.isArray(value)) return value.map(text).join("");
  return typeof value === "string" ? value : pretty(value);
}

function linked(value: Json): string | null {
  return isObject(value) && typeof value["url"] === "string" ? value["url"] : null;
}

function picture(value: Json): TemplateResult {
  const url = linked(value);
  return url === null ? textView(text(value)) : imageView({ url });
}

function framed(value: Json, title: string, signal: AbortSignal): TemplateResult {
  const url = linked(value);
  if (url !== null) return html`<p><a class="button small" href=${url} download>${t`Download the result`}</a></p>`;
  return html`<div class="card frame">${frameView(text(value), title, signal)}</div>`;
}

function markdown(value: Json): TemplateResult {
  const source = text(value);
  const drawn = import("./markdown.js").then(
    ({ markdownView }) => markdownView(source),
    () => textView(source),
  );
  return html`${until(drawn, textView(source))}`;
}

/** Draw the best of a bundle. */
function best(data: Record<string, Json>, signal: AbortSignal): TemplateResult {
  for (const [pattern, view] of TYPES) {
    const mime = Object.keys(data).find((one) => pattern.test(one));
    const value = mime === undefined ? undefined : data[mime];
    if (value !== undefined) return view(value, signal);
  }
  const files = Object.entries(data).flatMap(([mime, value]) => {
    const url = linked(value);
    return url === null ? [] : [html`<a class="button small" href=${url} download>${t`Download (${mime})`}</a>`];
  });
  if (files.length) return html`<p>${files}</p>`;
  return html`<p class="note">${t`There is no view here for ${Object.keys(data).join(", ")}.`}</p>`;
}

export class DisplayView extends LitElement {
  static override styles = styles;
  static override properties = { output: { attribute: false } };
  declare output: DisplayOutput;
  private control = new AbortController();
  private drawn: { output: DisplayOutput; view: TemplateResult } | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.control.signal.aborted) return;
    this.control = new AbortController();
    this.drawn = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.control.abort();
  }

  protected override render(): TemplateResult {
    // Once an output: a frame that is drawn again runs its scripts again.
    if (this.drawn?.output !== this.output) {
      this.control.abort();
      this.control = new AbortController();
      this.drawn = { output: this.output, view: best(this.output.data, this.control.signal) };
    }
    return this.drawn.view;
  }
}

customElements.define("nbfunc-display", DisplayView);
