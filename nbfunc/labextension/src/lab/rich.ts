/** MIME bundles by Lab's own renderers, so that what a user has installed works: Plotly, Vega, LaTeX. */

import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { PartialJSONObject } from "@lumino/coreutils";
import { Widget } from "@lumino/widgets";

import type { DisplayOutput } from "../events.js";
import type { DisplayRenderer } from "../form.js";

/** What runs scripts belongs into the element's sandboxed frame; pictures come by address, texts have their own copy button. */
const OWN = /^(text\/html|text\/plain|image\/|application\/javascript)/;

/** `signal` ends what was drawn. */
export function richRenderer(rendermime: IRenderMimeRegistry, signal: AbortSignal): DisplayRenderer {
  return ({ data, metadata = {} }: DisplayOutput) => {
    const bundle = data as PartialJSONObject;
    const mime = rendermime.preferredMimeType(bundle, "any");
    if (mime === undefined || OWN.test(mime)) return null;
    const host = document.createElement("div");
    host.className = "nbf-rich";
    const renderer = rendermime.createRenderer(mime);
    const model = rendermime.createModel({ data: bundle, metadata: metadata as PartialJSONObject, trusted: false });
    // The form puts the host into the document once it has it.
    queueMicrotask(() => {
      if (signal.aborted) return;
      Widget.attach(renderer, host);
      renderer.renderModel(model).catch((error: unknown) => {
        host.textContent = String(error);
      });
    });
    signal.addEventListener("abort", () => renderer.dispose(), { once: true });
    return host;
  };
}
