/** What stands where there is nothing to show: why, and what to do, with the command to copy. */

import { Clipboard } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { html, nothing, type TemplateResult } from "lit";

import type { Health } from "./catalog.js";

const EXPOSE = "%load_ext nbfunc\n%func_to_web my_function";

/** `again` asks the server again. */
export function emptyView(health: Health, trans: TranslationBundle, again: () => void): TemplateResult {
  switch (health.kind) {
    case "loading":
      return html`<p class="nbf-note">${trans.__("Loading…")}</p>`;
    case "missing":
      return state(
        trans.__("The Jupyter server has no nbfunc"),
        trans.__("Install it in the server's environment, see that it is enabled, then restart the server."),
        [command("pip install nbfunc", trans), command("jupyter server extension list", trans)],
        retry(trans, again),
      );
    case "foreign":
      return state(
        trans.__("The server's nbfunc is of another version"),
        trans.__("It was updated after the server started, or only in one of two environments. Update it, restart the server, then reload this page."),
        [command("pip install --upgrade nbfunc", trans)],
        retry(trans, again),
      );
    case "unreachable":
      return state(
        trans.__("The server does not answer"),
        health.failure.message,
        [],
        retry(trans, again),
      );
    case "ready":
      return state(
        trans.__("No functions yet"),
        trans.__("Expose a function from a notebook, and its form appears here:"),
        [command(EXPOSE, trans)],
        nothing,
      );
  }
}

function state(
  title: string,
  text: string,
  commands: TemplateResult[],
  action: TemplateResult | typeof nothing,
): TemplateResult {
  return html`<div class="nbf-empty">
    <h3>${title}</h3>
    <p>${text}</p>
    ${commands} ${action}
  </div>`;
}

function retry(trans: TranslationBundle, again: () => void): TemplateResult {
  return html`<button type="button" class="nbf-button" @click=${again}>${trans.__("Try again")}</button>`;
}

export function command(text: string, trans: TranslationBundle): TemplateResult {
  return html`<div class="nbf-command">
    <pre>${text}</pre>
    <button
      type="button"
      class="nbf-button"
      @click=${(event: Event): void => {
        Clipboard.copyToSystem(text);
        (event.currentTarget as HTMLElement).textContent = trans.__("Copied");
      }}
    >
      ${trans.__("Copy")}
    </button>
  </div>`;
}
