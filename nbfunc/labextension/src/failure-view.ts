/** Why a form could not be had or was not taken, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";

import type { Failure } from "./api.js";
import type { Problem } from "./schema.js";
import { t } from "./words.js";

/** `unplaced` are problems that belong to no field; `login` is where to log in again. */
export function failureView(failure: Failure, unplaced: Problem[], login: string): TemplateResult {
  const problems = unplaced.map(
    ({ loc, msg }) => html`<li dir="auto">${loc.length ? html`<b>${loc.join(" › ")}</b>: ` : nothing}${msg}</li>`,
  );
  return html`<div class="card error" role="alert">
    <p dir="auto">${problems.length ? t`The form was not taken.` : failure.message}</p>
    ${problems.length ? html`<ul>${problems}</ul>` : nothing}
    ${failure.status === 401
      ? html`<p><a class="button small" href=${login} target="_blank">${t`Log in in a new tab`}</a></p>`
      : nothing}
  </div>`;
}
