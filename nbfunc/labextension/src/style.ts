/** How the form looks: the page's colors (`--nbfunc-*`, an author's to set), else JupyterLab's, else its own. */

import { css } from "lit";

import { controls } from "./controls-style.js";
import { files } from "./fields/file-style.js";
import { fields } from "./fields/style.js";
import { outputs } from "./outputs/style.js";
import { runs } from "./run-style.js";

const page = css`
  :host {
    --nbf-sunken: var(--nbfunc-background, var(--jp-layout-color2, light-dark(#f4f6f9, #1e222a)));
    --nbf-raised: var(--nbfunc-surface, var(--jp-layout-color1, light-dark(#ffffff, #1b1f27)));
    --nbf-line: var(--nbfunc-border, var(--jp-border-color2, light-dark(#dde2ea, #323844)));
    --nbf-text: var(--nbfunc-text, var(--jp-ui-font-color0, light-dark(#1c2230, #e6e9ef)));
    --nbf-soft: var(--nbfunc-muted, var(--jp-ui-font-color2, light-dark(#586174, #a3acbb)));
    --nbf-edge: color-mix(in srgb, var(--nbf-soft) 75%, var(--nbf-raised));
    --nbf-accent: var(--nbfunc-accent, var(--jp-brand-color1, light-dark(#0b63ce, #74b0ff)));
    --nbf-on-accent: var(--nbfunc-accent-text, var(--jp-ui-inverse-font-color0, light-dark(#ffffff, #10131a)));
    --nbf-bad: var(--nbfunc-error, var(--jp-error-color0, light-dark(#b3261e, #ff8a80)));
    --nbf-good: var(--nbfunc-success, var(--jp-success-color0, light-dark(#1a7f37, #5fd37e)));
    --nbf-radius: var(--nbfunc-radius, 8px);
    --nbf-font: var(--nbfunc-font, var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif));
    --nbf-mono: var(--nbfunc-mono, var(--jp-code-font-family, ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace));
    --nbf-tint: color-mix(in srgb, var(--nbf-accent) 12%, transparent);
    display: block;
    color: var(--nbf-text);
    font: 15px/1.5 var(--nbf-font);
    accent-color: var(--nbf-accent);
    text-align: start;
    overflow-wrap: anywhere;
  }

  * {
    box-sizing: border-box;
  }

  .sr {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .page {
    container-type: inline-size;
  }
  .heading {
    margin-bottom: 1.5rem;
  }
  h1 {
    margin: 0;
    font-size: 1.6rem;
    line-height: 1.25;
    font-weight: 650;
    letter-spacing: -0.015em;
  }
  h2 {
    margin: 0 0 0.5rem;
    font-size: 0.95rem;
    font-weight: 600;
    color: var(--nbf-soft);
  }
  .description {
    margin: 0.5rem 0 0;
    color: var(--nbf-soft);
    white-space: pre-line;
    max-width: 65ch;
  }
  .note {
    color: var(--nbf-soft);
    font-size: 0.87rem;
  }
  p.note {
    margin: 0.4rem 0 0;
  }

  form {
    padding: 1.5rem;
    border: 1px solid var(--nbf-line);
    border-radius: calc(var(--nbf-radius) + 4px);
    background: var(--nbf-raised);
  }

  :host([plain]) form {
    padding: 0;
    border: 0;
    background: none;
  }
  form .fields:empty + .submit {
    margin-top: 0;
  }

  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.4rem 0.7rem;
  }
  .space {
    flex: 1;
  }
  .submit {
    margin-top: 1.75rem;
  }

  @container (max-width: 480px) {
    form {
      padding: 1rem 0.9rem;
    }
    .submit .primary {
      flex: 1;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
  @media (forced-colors: active) {
    .dot,
    .switch::after {
      forced-color-adjust: none;
    }
  }
`;

/** In order: a later sheet may say more of what an earlier one has. */
export const styles = [page, controls, fields, files, runs, outputs];
