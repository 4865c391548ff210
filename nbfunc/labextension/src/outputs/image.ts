/** A picture, at its own size or the page's width. */

import { html, type TemplateResult } from "lit";

import type { ImageOutput } from "../events.js";
import { t } from "../words.js";

export function imageView(image: Pick<ImageOutput, "url"> & Partial<ImageOutput>): TemplateResult {
  const name = decodeURIComponent(image.url.split(/[?#]/)[0]?.split("/").pop() ?? "") || "image";
  return html`<figure class="card image">
    <img
      src=${image.url}
      width=${image.width ?? ""}
      height=${image.height ?? ""}
      alt=${t`Picture ${name}`}
      decoding="async"
      @error=${(event: Event): void => {
        // Its hour is over, or the server is gone; a broken picture says neither.
        const picture = event.target as HTMLImageElement;
        picture.closest("figure")?.classList.add("gone");
      }}
    />
    <figcaption>
      <span class="note broken">${t`The picture is not there any more: files are kept for one hour.`}</span>
      <a class="button small" href=${image.url} download=${name}>${t`Download`}</a>
    </figcaption>
  </figure>`;
}
