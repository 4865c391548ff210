/** The runs that go on, each with its progress and a button that cancels it. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { html, nothing, type TemplateResult } from "lit";

import type { RunRow } from "../api.js";
import { humanTime } from "../measure.js";

export interface RunningActions {
  title: (run: RunRow) => string;
  show: (run: RunRow) => void;
  cancel: (run: RunRow) => void;
}

export function runningView(
  runs: RunRow[],
  actions: RunningActions,
  trans: TranslationBundle,
): TemplateResult | typeof nothing {
  if (!runs.length) return nothing;
  return html`<section class="nbf-running" aria-label=${trans.__("Running")}>
    <h3>${trans.__("Running")}</h3>
    <ul>
      ${runs.map((run) => runView(run, actions, trans))}
    </ul>
  </section>`;
}

function runView(run: RunRow, { title, show, cancel }: RunningActions, trans: TranslationBundle): TemplateResult {
  const { done = 0, total = null, text = "" } = run.progress ?? {};
  const name = title(run);
  return html`<li>
    <div class="nbf-row">
      <button type="button" class="nbf-link" dir="auto" @click=${(): void => show(run)}>${name}</button>
      <span class="nbf-note">${standing(run, trans)}</span>
      <button
        type="button"
        class="nbf-button"
        aria-label=${trans.__("Cancel %1", name)}
        ?disabled=${run.status === "cancelling"}
        @click=${(): void => cancel(run)}
      >
        ${trans.__("Cancel")}
      </button>
    </div>
    ${run.progress
      ? html`<progress
          aria-label=${text || trans.__("Progress of %1", name)}
          max=${total ?? nothing}
          value=${total ? done : nothing}
        ></progress>`
      : nothing}
    ${text ? html`<span class="nbf-note" dir="auto">${text}</span>` : nothing}
  </li>`;
}

function standing(run: RunRow, trans: TranslationBundle): string {
  if (run.status === "cancelling") return trans.__("Cancelling…");
  if (run.status === "queued") return run.position ? trans.__("Number %1 in the queue", run.position) : trans.__("Starting…");
  return run.started ? humanTime((Date.now() - Date.parse(run.started)) / 1000) : "";
}
