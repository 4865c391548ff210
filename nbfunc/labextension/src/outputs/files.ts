/** Files to download: a row each, with the time that is left of their hour. */

import { html, nothing, type TemplateResult } from "lit";

import type { FileOutput } from "../events.js";
import { humanSize, timeLeft } from "../measure.js";
import { t } from "../words.js";

export interface TimedFile {
  output: FileOutput;
  /** Seconds; below zero it is gone. */
  left: number;
}

export function filesView(files: TimedFile[]): TemplateResult {
  return html`<ul class="card files">
    ${files.map(({ output, left }) => row(output, left))}
  </ul>`;
}

/** "Download all": one zip of every file of a run, streamed by the server. */
export function zipView(files: TimedFile[], url: string): TemplateResult | typeof nothing {
  const there = files.filter(({ left }) => left > 0);
  if (there.length < 2) return nothing;
  const total = there.reduce((sum, { output }) => sum + output.size, 0);
  return html`<div class="bar">
    <span class="note">${t`${there.length.toLocaleString("en")} files, ${humanSize(total)}`}</span>
    <a class="button small" href=${url} download>${t`Download all`}</a>
  </div>`;
}

function row(file: FileOutput, left: number): TemplateResult {
  const gone = left <= 0;
  const extension = /\.([a-z0-9]{1,5})$/i.exec(file.filename)?.[1] ?? "";
  return html`<li class=${gone ? "gone" : ""}>
    <span class="badge" aria-hidden="true">${extension.toUpperCase() || "FILE"}</span>
    <span class="what"
      ><b dir="auto">${file.filename}</b
      ><span class="note"
        >${humanSize(file.size)} · ${gone ? t`File expired` : html`<span title=${file.expires}>${t`${timeLeft(left)} left`}</span>`}</span
      ></span
    >
    ${gone
      ? nothing
      : html`<a class="button small" href=${file.url} download=${file.filename} aria-label=${t`Download ${file.filename}`}
          >${t`Download`}</a
        >`}
  </li>`;
}
