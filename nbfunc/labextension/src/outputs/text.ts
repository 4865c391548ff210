/** Text as it is, with a button that copies it. Text is never markup. */

import { html, nothing, type TemplateResult } from "lit";
import { t } from "../words.js";

/** What is laid out at once; the whole is a click, or a download, away. */
const SHOWN = 100_000;

export function copyButton(text: () => string, what = t`Copy`): TemplateResult {
  return html`<button
    type="button"
    class="quiet small copy"
    @click=${async (event: Event): Promise<void> => {
      const button = event.currentTarget as HTMLButtonElement;
      button.textContent = (await copied(text())) ? t`Copied` : t`Not copied`;
      setTimeout(() => (button.textContent = what), 1500);
    }}
  >${what}</button>`;
}

/** The clipboard wants https or localhost; where there is neither, the old way. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.cssText = "position: fixed; opacity: 0";
    document.body.append(area);
    area.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way over plain http
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function textView(text: string, url?: string | null): TemplateResult {
  const shown = text.length > SHOWN ? text.slice(0, SHOWN) : text;
  return html`<div class="card text">
    <pre dir="auto" tabindex=${shown.length > 2000 ? "0" : nothing}>${shown}</pre>
    ${copyButton(() => text)}
    ${shown === text && !url
      ? nothing
      : html`<p class="note">
          ${t`${shown.length.toLocaleString("en")} characters are shown.`}
          ${url ? html`<a href=${url} download>${t`Download the whole`}</a>` : t`Copy takes the whole.`}
        </p>`}
  </div>`;
}
