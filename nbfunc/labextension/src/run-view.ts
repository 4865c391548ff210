/** A run, drawn: how it stands, what it printed, what it returned. */

import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";

import { humanTime } from "./measure.js";
import { copyButton } from "./outputs/text.js";
import { outputsView, type Drawing } from "./outputs/index.js";
import type { Run } from "./run.js";
import { assertNever } from "./schema.js";
import { BLOCK, type Line, type Terminal } from "./terminal.js";
import { t } from "./words.js";

export interface RunActions extends Drawing {
  cancel(run: Run): void;
  /** Why nothing comes, while nothing comes. */
  trouble: string | null;
  /** Whether the function runs on the notebook's main thread. */
  main: boolean;
  open(run: Run): void;
  fillIn(run: Run): void;
  again(run: Run): void;
}

/** The state in words, as it is announced; `main` is whether it runs on the notebook's main thread. */
export function stateText({ state, position }: Run, main: boolean): string {
  switch (state) {
    case "queued":
      if (position > 0) return t`Waiting: number ${position} in the queue`;
      // Whether a cell runs is not known here: what waits for none has started before this is read.
      return main ? t`Waiting for the notebook` : t`Starting…`;
    case "running":
      return t`Running`;
    case "cancelling":
      return t`Cancelling…`;
    case "finished":
      return t`Done`;
    case "failed":
      return t`Failed`;
    case "cancelled":
      return t`Cancelled`;
    case "forgotten":
      return t`The server does not know this run any more; it may have been restarted.`;
    default:
      return assertNever(state);
  }
}

export function runView(run: Run, actions: RunActions): TemplateResult {
  return html`<div class="run ${run.state}">
    <div class="bar state">
      <span class="dot" aria-hidden="true"></span><b>${stateText(run, actions.main)}</b>
      ${run.started === null || run.state === "forgotten"
        ? nothing
        : html`<span class="note time">${elapsed(run)}</span>`}
      <span class="space"></span>
      ${run.live
        ? html`<button
            type="button"
            class="small"
            ?disabled=${run.state === "cancelling"}
            @click=${(): void => actions.cancel(run)}
          >
            ${t`Cancel`}
          </button>`
        : nothing}
    </div>
    ${run.live && actions.trouble !== null
      ? html`<p class="trouble">${actions.trouble} ${t`Trying again… A run does not stop when its page is away.`}</p>`
      : nothing}
    ${run.state === "queued" && actions.main
      ? html`<p class="note">${t`It runs between the notebook's cells, and waits for the one that is running.`}</p>`
      : nothing}
    ${run.state === "cancelling"
      ? html`<p class="note">${t`The function stops at its next step; a call that waits ends first.`}</p>`
      : nothing}
    ${progressView(run)} ${printsView(run.terminal)} ${errorView(run)}
    ${outputsView(run, actions)}
    ${run.live || run.values === null ? nothing : againView(run, actions)}
  </div>`;
}

function againView(run: Run, actions: RunActions): TemplateResult {
  return html`<div class="bar">
    <button type="button" class="quiet small" @click=${(): void => actions.again(run)}>${t`Run again with these values`}</button>
    <button type="button" class="quiet small" @click=${(): void => actions.fillIn(run)}>${t`Fill in`}</button>
  </div>`;
}

/** A run that is over has tenths, where it was that short. */
function elapsed(run: Run): string {
  if (run.live || run.elapsed >= 10) return humanTime(run.elapsed);
  return run.elapsed < 0.1 ? t`under 0.1 s` : `${run.elapsed.toFixed(1)} s`;
}

function progressView(run: Run): TemplateResult | typeof nothing {
  const { progress } = run;
  if (!progress) return run.live && run.state !== "queued" ? html`<div class="idle" aria-hidden="true"></div>` : nothing;
  const { done, total, text } = progress;
  const share = total ? Math.min(1, done / total) : null;
  const amount = total ? `${Math.floor((share ?? 0) * 100)} %` : done.toLocaleString("en");
  return html`<div class="progress">
    <div class="bar"><span dir="auto">${text}</span><span class="space"></span><span class="note">${amount}</span></div>
    ${share === null
      ? html`<progress aria-label=${text || t`Progress`}></progress>`
      : html`<progress aria-label=${text || t`Progress`} max="1" .value=${share}></progress>`}
  </div>`;
}

function printsView(terminal: Terminal): TemplateResult | typeof nothing {
  if (terminal.empty) return nothing;
  const blocks: number[] = [];
  for (let at = 0; at < terminal.lines.length; at += BLOCK) blocks.push(at);
  return html`<div class="card prints">
    ${copyButton(() => terminal.text())}
    <nbfunc-tail tabindex="0" role="region" aria-label=${t`Printed`}
      >${terminal.dropped
        ? html`<p class="note">${t`${terminal.dropped.toLocaleString("en")} earlier lines are not shown.`}</p>`
        : nothing}${repeat(
        blocks,
        (at) => terminal.dropped + at,
        (at) =>
          // A block is drawn anew only when one of its lines was: a flood of prints costs its last block a frame.
          guard([terminal.versionOf(terminal.dropped + at)], () => {
            return html`<pre dir="auto">${terminal.lines.slice(at, at + BLOCK).map(lineView)}</pre>`;
          }),
      )}</nbfunc-tail
    >
  </div>`;
}

function lineView(line: Line): TemplateResult {
  return line.stderr ? html`<span class="stderr">${line.text}\n</span>` : html`${line.text}\n`;
}

function errorView(run: Run): TemplateResult | typeof nothing {
  const { error } = run;
  if (!error) return nothing;
  return html`<div class="card error">
    <p dir="auto"><b>${error.type}</b>${error.message ? `: ${error.message}` : ""}</p>
    ${error.traceback
      ? html`<details>
          <summary>${t`Traceback`}</summary>
          <pre tabindex="0">${error.traceback}</pre>
          ${copyButton(() => error.traceback ?? "")}
        </details>`
      : nothing}
  </div>`;
}

/** A box that stays at its end while its content grows, unless someone scrolled up to read. */
class Tail extends HTMLElement {
  private following = true;
  private readonly grown = new MutationObserver(() => {
    if (this.following) this.scrollTop = this.scrollHeight;
  });

  connectedCallback(): void {
    this.addEventListener("scroll", () => {
      this.following = this.scrollTop + this.clientHeight >= this.scrollHeight - 24;
    });
    this.grown.observe(this, { childList: true, subtree: true, characterData: true });
    this.scrollTop = this.scrollHeight;
  }

  disconnectedCallback(): void {
    this.grown.disconnect();
  }
}

customElements.define("nbfunc-tail", Tail);
