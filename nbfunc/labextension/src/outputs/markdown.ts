/** Markdown, made readable by marked and safe by DOMPurify. */

import DOMPurify from "dompurify";
import { html, type TemplateResult } from "lit";
import { marked } from "marked";

const FORBIDDEN = ["style", "form", "input", "button", "textarea", "select", "iframe", "video", "audio", "source", "picture"];

/** Whether loading an address asks no other host. */
function ours(address: string): boolean {
  if (/^data:image\//i.test(address)) return true;
  return URL.canParse(address, document.baseURI) && new URL(address, document.baseURI).origin === location.origin;
}

export function markdownView(source: string): TemplateResult {
  const made = marked.parse(source, { async: false, gfm: true });
  const fragment = DOMPurify.sanitize(made, {
    RETURN_DOM_FRAGMENT: true,
    USE_PROFILES: { html: true },
    FORBID_TAGS: FORBIDDEN,
    FORBID_ATTR: ["style", "srcset", "background", "poster", "id", "name", "class"],
    // An image is replaced below before it stands in a document, where it would load.
  });
  for (const image of fragment.querySelectorAll("img")) {
    const address = image.getAttribute("src") ?? "";
    image.alt ||= "";
    if (ours(address)) continue;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = image.alt || address;
    image.replaceWith(link);
  }
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  return html`<div class="card markdown" dir="auto">${fragment}</div>`;
}
