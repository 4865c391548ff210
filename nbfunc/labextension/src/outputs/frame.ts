/** Foreign markup in a frame of its own: scripts and downloads, but no way to the page, its cookies or its server. */

import { html, type TemplateResult } from "lit";
import { createRef, ref, type Ref } from "lit/directives/ref.js";

// In the frame: say how high the content is, whenever that changes, and take the page's color scheme. Its origin is
// opaque, so anyone may hear it.
const INSIDE = `<script>(() => {
  let last = 0, steps = 0;
  const say = () => {
    const body = document.body;
    if (!body) return;
    const { marginTop, marginBottom } = getComputedStyle(body);
    const margins = parseFloat(marginTop) + parseFloat(marginBottom);
    const height = Math.ceil(Math.max(body.scrollHeight, body.offsetHeight) + margins);
    // Content as high as its frame and a margin would grow for ever.
    if (height > last && height - innerHeight < 64 && ++steps > 12) return;
    if (Math.abs(height - last) > 1) parent.postMessage({ nbfuncHeight: (last = height) }, "*");
  };
  addEventListener("load", say);
  addEventListener("message", ({ source, data }) => {
    if (source === parent && data?.nbfuncScheme) document.documentElement.style.colorScheme = data.nbfuncScheme;
  });
  new ResizeObserver(say).observe(document.documentElement);
  document.addEventListener("DOMContentLoaded", () => new ResizeObserver(say).observe(document.body));
})()</script>`;

const HIGHEST = 4000;

/** The page's color scheme as it is now: a frame does not see it. */
function scheme(): "light" | "dark" {
  const said = document.documentElement.style.colorScheme || getComputedStyle(document.documentElement).colorScheme;
  if (said === "light" || said === "dark") return said;
  if (document.body.dataset["jpThemeLight"] === "false") return "dark";
  if (document.body.dataset["jpThemeLight"] === "true") return "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Say each change of the color scheme: the page's theme, Lab's, or the system's. */
function onScheme(changed: (scheme: "light" | "dark") => void, signal: AbortSignal): void {
  const say = (): void => changed(scheme());
  const observer = new MutationObserver(say);
  const attributeFilter = ["data-theme", "style", "data-jp-theme-light"];
  observer.observe(document.documentElement, { attributeFilter });
  observer.observe(document.body, { attributeFilter });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", say, { signal });
}

export function frameView(markup: string, title: string, signal: AbortSignal): TemplateResult {
  const frame: Ref<HTMLIFrameElement> = createRef();
  addEventListener(
    "message",
    ({ source, data }: MessageEvent<unknown>) => {
      // Only this frame's own word counts, and only as a number.
      if (!frame.value || source !== frame.value.contentWindow) return;
      const height = (data as { nbfuncHeight?: unknown } | null)?.nbfuncHeight;
      if (typeof height === "number") frame.value.style.height = `${Math.min(Math.max(height, 16), HIGHEST)}px`;
    },
    { signal },
  );
  onScheme((now) => {
    if (!frame.value || frame.value.style.colorScheme === now) return;
    frame.value.style.colorScheme = now;
    frame.value.contentWindow?.postMessage({ nbfuncScheme: now }, "*");
  }, signal);
  const first = scheme();
  // First in the document, so that what the author's markup says of itself wins.
  const page = `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="${first}"><style>
    body { display: flow-root; margin: 0; padding: 10px 14px; font: 14px/1.5 system-ui, sans-serif; color: light-dark(#1c2230, #e6e8ec); overflow-x: auto }
    table { border-collapse: collapse } td, th { padding: 3px 10px; text-align: end }
    svg, img { max-width: 100%; height: auto }
  </style>${INSIDE}<body>${markup}`;
  return html`<iframe
    ${ref(frame)}
    sandbox="allow-scripts allow-downloads"
    referrerpolicy="no-referrer"
    title=${title}
    srcdoc=${page}
    style="color-scheme: ${first}"
  ></iframe>`;
}
