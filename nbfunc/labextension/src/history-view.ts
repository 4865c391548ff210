/** The runs of a form, drawn: the newest, and the earlier ones to open. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { History } from "./history.js";
import type { Run } from "./run.js";
import { runView, stateText, type RunActions } from "./run-view.js";
import { t } from "./words.js";

export function historyView(history: History, actions: (run: Run) => RunActions): TemplateResult | typeof nothing {
  const [newest, ...earlier] = history.runs;
  if (!newest) return nothing;
  return html`<section class="runs" aria-label=${t`Results`}>
    ${repeat([newest], ({ id }) => id, (run) => runView(run, actions(run)))}
    ${earlier.length
      ? html`<div class="earlier">
          <h2>${t`Earlier`}</h2>
          ${repeat(earlier, ({ id }) => id, (run) => earlierView(run, history.isOpen(run), actions(run)))}
        </div>`
      : nothing}
  </section>`;
}

/** Its events are asked for when it is opened. */
function earlierView(run: Run, open: boolean, actions: RunActions): TemplateResult {
  const when = run.started === null ? "" : new Date(run.started).toLocaleTimeString([], { timeStyle: "medium" });
  return html`<details
    @toggle=${(event: Event): void => {
      if ((event.target as HTMLDetailsElement).open) actions.open(run);
    }}
  >
    <summary>${when || t`Run`}${open ? html` <span class="note">${stateText(run, actions.main)}</span>` : nothing}</summary>
    ${runView(run, actions)}
  </details>`;
}
