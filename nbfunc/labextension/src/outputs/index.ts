/** The table of outputs: what a run returned, and what draws it. What is rare is loaded on first use. */

import { html, nothing, type TemplateResult } from "lit";

import type { DisplayOutput, FileOutput, ImageOutput, Output, TableOutput, TextOutput } from "../events.js";
import type { Run, Shown } from "../run.js";
import { t } from "../words.js";
import { filesView, zipView, type TimedFile } from "./files.js";
import { imageView } from "./image.js";
import { textView } from "./text.js";

type Drawn = Exclude<Output, { kind: "file" }>;
type Views = { [K in Drawn["kind"]]: (output: Extract<Drawn, { kind: K }>) => TemplateResult };

const VIEWS: Views = {
  text: (output: TextOutput) => textView(output.text, output.url),
  image: (output: ImageOutput) => imageView(output),
  table: (output: TableOutput) => {
    void import("./table.js");
    return html`<nbfunc-table .output=${output}>${t`Loading the table…`}</nbfunc-table>`;
  },
  display: (output: DisplayOutput) => {
    void import("./display.js");
    return html`<nbfunc-display .output=${output}>${t`Loading…`}</nbfunc-display>`;
  },
};

function view(output: Drawn, display: Drawing["display"]): TemplateResult {
  const other = output.kind === "display" ? display(output) : null;
  if (other) return other;
  // The table pairs each kind with its view; TypeScript does not follow the pairing through the look-up.
  return (VIEWS[output.kind] as (output: Drawn) => TemplateResult)(output);
}

/** Outputs drawn at each end before one asks for more: the first, and the newest. */
const ENDS = 100;

/** How the outputs of a run are drawn. */
export interface Drawing {
  /** Has all files of the run. */
  zip: string;
  /** Outputs beyond the usual that were asked for. */
  extra: number;
  more: (run: Run) => void;
  /** Draw a MIME bundle in another way than the element's own; null leaves it to that. */
  display: (output: DisplayOutput) => TemplateResult | null;
}

/** All outputs of a run, neighboring files as one list. */
export function outputsView(run: Run, { zip, extra, more, display }: Drawing): TemplateResult {
  const { outputs } = run;
  const first = ENDS + extra;
  const hidden = Math.max(0, outputs.length - first - ENDS);
  const files = outputs.flatMap(({ output, received }) => (output.kind === "file" ? [timed(output, received)] : []));
  return html`${draw(hidden ? outputs.slice(0, first) : outputs, display)}
  ${hidden
    ? html`<p class="more">
        <button type="button" class="quiet" @click=${(): void => more(run)}>${t`Show more: ${hidden.toLocaleString("en")} are not shown`}</button>
      </p>`
    : nothing}
  ${hidden ? draw(outputs.slice(-ENDS), display) : nothing} ${run.live ? nothing : zipView(files, zip)}
  ${run.overflow ? html`<p class="note">${t`The page keeps no more: ${run.overflow.toLocaleString("en")} later results.`}</p>` : nothing}`;
}

function timed(output: FileOutput, received: number): TimedFile {
  return { output, left: output.expires_in - (Date.now() - received) / 1000 };
}

function draw(outputs: Shown[], display: Drawing["display"]): TemplateResult[] {
  const drawn: TemplateResult[] = [];
  let files: TimedFile[] = [];
  const flush = (): void => {
    if (files.length) drawn.push(filesView(files));
    files = [];
  };
  for (const { output, received } of outputs) {
    if (output.kind === "file") {
      files.push(timed(output, received));
      continue;
    }
    flush();
    drawn.push(view(output, display));
  }
  flush();
  return drawn;
}
