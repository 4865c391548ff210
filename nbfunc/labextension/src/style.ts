/** How the form looks: the page's colors (`--nbfunc-*`, an author's to set), else JupyterLab's, else its own. */

import { css } from "lit";

export const styles = css`
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

  /* Fields */
  .fields,
  .inner {
    display: grid;
    gap: 1.35rem;
    grid-template-columns: minmax(0, 1fr);
  }
  .field {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
    position: relative;
  }
  .head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1rem;
    margin-bottom: 0.35rem;
    font-weight: 550;
  }
  .head.sr {
    margin: -1px;
  }
  /* A title is the name with spaces: "file count". */
  .head label,
  .head > span:first-child,
  .checkbox > .check > span {
    display: inline-block;
  }
  .head label::first-letter,
  .head > span:first-child::first-letter,
  .checkbox > .check > span::first-letter {
    text-transform: uppercase;
  }
  legend {
    display: block;
    width: 100%;
    padding: 0;
  }
  .help,
  .problem {
    margin: 0.35rem 0 0;
    font-size: 0.87rem;
    color: var(--nbf-soft);
    white-space: pre-line;
  }
  .problem {
    color: var(--nbf-bad);
    font-weight: 500;
  }
  .problem::before {
    content: "";
    display: inline-block;
    width: 0.5em;
    height: 0.5em;
    margin-inline-end: 0.5em;
    border-radius: 50%;
    background: currentColor;
  }

  input,
  select,
  textarea,
  button,
  .button {
    font: inherit;
    color: inherit;
  }
  input:not([type="checkbox"], [type="radio"], [type="range"], [type="color"], [type="file"]),
  select,
  textarea {
    display: block;
    width: 100%;
    min-height: 2.5rem;
    padding: 0.45rem 0.7rem;
    border: 1px solid var(--nbf-edge);
    border-radius: var(--nbf-radius);
    background: var(--nbf-raised);
    transition: border-color 0.12s;
  }
  input.short:not([type="checkbox"]) {
    max-width: 16rem;
  }
  textarea {
    resize: vertical;
    min-height: 4rem;
  }
  select {
    appearance: none;
    padding-inline-end: 2.2rem;
    background-image:
      linear-gradient(45deg, transparent 50%, var(--nbf-soft) 50%),
      linear-gradient(-45deg, transparent 50%, var(--nbf-soft) 50%);
    background-size: 6px 6px;
    background-position:
      calc(100% - 20px) 55%,
      calc(100% - 14px) 55%;
    background-repeat: no-repeat;
    text-overflow: ellipsis;
  }
  select:dir(rtl) {
    background-position:
      14px 55%,
      20px 55%;
  }
  option {
    background: Canvas;
    color: CanvasText;
  }
  ::placeholder {
    color: var(--nbf-soft);
    opacity: 0.85;
  }
  input:hover,
  select:hover,
  textarea:hover {
    border-color: var(--nbf-soft);
  }
  :focus-visible {
    outline: 2px solid var(--nbf-accent);
    outline-offset: 2px;
  }
  input:not([type="checkbox"], [type="radio"], [type="range"], [type="color"]):focus-visible,
  select:focus-visible,
  textarea:focus-visible {
    outline-offset: 0;
    border-color: var(--nbf-accent);
  }
  fieldset:focus {
    outline: none;
  }
  [aria-invalid="true"]:not([type="checkbox"], [type="radio"], [type="range"]) {
    border-color: var(--nbf-bad) !important;
  }
  [aria-invalid="true"]:focus-visible {
    outline-color: var(--nbf-bad);
  }

  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4em;
    min-height: 2.5rem;
    padding: 0.4rem 0.95rem;
    border: 1px solid var(--nbf-edge);
    border-radius: var(--nbf-radius);
    background: var(--nbf-raised);
    font-weight: 550;
    line-height: 1.2;
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    transition:
      background 0.12s,
      border-color 0.12s;
  }
  button:hover,
  .button:hover {
    background: var(--nbf-sunken);
  }
  button:disabled,
  button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: default;
  }
  .primary {
    min-width: 7rem;
    border-color: var(--nbf-accent);
    background: var(--nbf-accent);
    color: var(--nbf-on-accent);
  }
  .primary:hover {
    background: color-mix(in srgb, var(--nbf-accent) 88%, var(--nbf-text));
  }
  .quiet {
    border-color: transparent;
    background: none;
    color: var(--nbf-soft);
  }
  .quiet:hover {
    background: var(--nbf-tint);
    color: var(--nbf-text);
  }
  .small {
    min-height: 1.9rem;
    padding: 0.2rem 0.7rem;
    font-size: 0.87rem;
  }
  .icon {
    min-width: 2rem;
    min-height: 2rem;
    padding: 0;
  }
  .add {
    margin-top: 0.5rem;
    padding-inline: 0.7rem;
    color: var(--nbf-accent);
  }

  .row {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 0.6rem;
  }
  .row > select {
    flex: 1;
    width: auto;
    min-width: 0;
  }
  .joined {
    position: relative;
  }
  .joined input:not([type="checkbox"]) {
    padding-inline-end: 4.5rem;
  }
  .joined button {
    position: absolute;
    inset-block: 0.25rem;
    inset-inline-end: 0.25rem;
    min-height: 0;
    padding-inline: 0.7rem;
    font-size: 0.87rem;
  }

  .check {
    display: flex;
    align-items: flex-start;
    gap: 0.6rem;
    width: fit-content;
    min-height: 1.75rem;
    padding-block: 0.12rem;
    cursor: pointer;
  }
  .checkbox > .check {
    font-weight: 550;
  }
  input[type="checkbox"]:not(.switch),
  input[type="radio"] {
    flex: none;
    width: 1.15rem;
    height: 1.15rem;
    margin: 0.18rem 0 0;
  }
  .options {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(11rem, 100%), 1fr));
    gap: 0.1rem 1rem;
    max-height: 16rem;
    overflow: auto;
    /* Room for the focus ring, which scrolling would cut. */
    margin: 0 -3px;
    padding: 0.1rem 3px;
  }

  .switch {
    appearance: none;
    flex: none;
    position: relative;
    width: 2.5rem;
    height: 1.5rem;
    margin: 0;
    border: 1px solid var(--nbf-edge);
    border-radius: 1rem;
    background: var(--nbf-sunken);
    cursor: pointer;
    transition: background 0.15s;
  }
  .switch::after {
    content: "";
    position: absolute;
    inset-block-start: 3px;
    inset-inline-start: 3px;
    width: calc(1.5rem - 8px);
    height: calc(1.5rem - 8px);
    border-radius: 50%;
    background: var(--nbf-edge);
    transition:
      inset-inline-start 0.15s,
      background 0.15s;
  }
  .switch:checked {
    border-color: var(--nbf-accent);
    background: var(--nbf-accent);
  }
  .switch:checked::after {
    inset-inline-start: calc(1rem + 3px);
    background: var(--nbf-on-accent);
  }

  .slider {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    align-items: center;
    column-gap: 1rem;
  }
  .slider input {
    width: 100%;
    height: 1.6rem;
    margin: 0;
    cursor: pointer;
  }
  .slider output {
    min-width: 3.5rem;
    padding: 0.2rem 0.6rem;
    border-radius: var(--nbf-radius);
    background: var(--nbf-tint);
    text-align: center;
    font-variant-numeric: tabular-nums;
    font-weight: 550;
  }
  .ends {
    display: flex;
    justify-content: space-between;
    font-size: 0.8rem;
    color: var(--nbf-soft);
  }

  input[type="color"] {
    width: 2.9rem;
    height: 2.5rem;
    padding: 3px;
    border: 1px solid var(--nbf-edge);
    border-radius: var(--nbf-radius);
    background: var(--nbf-raised);
    cursor: pointer;
  }
  input[type="color"]::-webkit-color-swatch-wrapper {
    padding: 0;
  }
  input[type="color"]::-webkit-color-swatch {
    border: 0;
    border-radius: 5px;
  }

  /* Compound fields */
  .group > .inner,
  .variants > .inner:not(.plain) {
    padding: 1.1rem;
    border: 1px solid var(--nbf-line);
    border-radius: calc(var(--nbf-radius) + 2px);
    background: color-mix(in srgb, var(--nbf-sunken) 45%, transparent);
  }
  .inner.plain {
    margin-top: 0.7rem;
  }
  .segments {
    display: inline-flex;
    flex-wrap: wrap;
    gap: 2px;
    max-width: 100%;
    padding: 3px;
    border-radius: var(--nbf-radius);
    background: var(--nbf-sunken);
    border: 1px solid var(--nbf-line);
  }
  .segment {
    position: relative;
    cursor: pointer;
  }
  .segment input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .segment span {
    display: block;
    padding: 0.25rem 0.9rem;
    border-radius: calc(var(--nbf-radius) - 3px);
    color: var(--nbf-soft);
  }
  .segment input:checked + span {
    background: var(--nbf-raised);
    color: var(--nbf-text);
    font-weight: 550;
    box-shadow:
      0 0 0 1px var(--nbf-edge),
      0 1px 2px rgb(0 0 0 / 12%);
  }
  .segment input:focus-visible + span {
    outline: 2px solid var(--nbf-accent);
    outline-offset: 1px;
  }

  .rows {
    display: grid;
    gap: 0.5rem;
    grid-template-columns: minmax(0, 1fr);
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .entry {
    display: flex;
    align-items: flex-start;
    gap: 0.4rem;
  }
  .entry.big {
    padding-block: 0.1rem 0.4rem;
    padding-inline-start: 0.9rem;
    border-inline-start: 2px solid var(--nbf-line);
  }
  .entry .grow {
    flex: 1;
    min-width: 0;
  }
  .entry input.short:not([type="checkbox"]) {
    max-width: none;
  }
  .entry.pair .key:not([type="checkbox"]) {
    flex: 0 1 33%;
    width: 33%;
    min-width: 0;
  }
  .tools {
    display: flex;
    flex: none;
    padding-top: 0.25rem;
  }
  .head .tools {
    margin-block: -0.3rem;
    padding: 0;
  }

  /* Files */
  .drop {
    position: relative;
    border: 1.5px dashed var(--nbf-edge);
    border-radius: var(--nbf-radius);
    padding: 0.7rem;
    transition: background 0.12s;
  }
  .sent {
    padding: 0.2rem 0.7rem;
    border: 1px solid var(--nbf-line);
    border-radius: var(--nbf-radius);
    background: var(--nbf-raised);
  }
  .rows + .drop {
    margin-top: 0.5rem;
  }
  .drop:hover,
  .drop.over {
    background: var(--nbf-tint);
    border-color: var(--nbf-accent);
  }
  .drop:focus-within:has(.picker:focus-visible) {
    outline: 2px solid var(--nbf-accent);
    outline-offset: 2px;
  }
  .picker {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    opacity: 0;
    cursor: pointer;
  }
  .prompt {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.3rem 0.9rem;
    pointer-events: none;
  }
  .prompt .button {
    min-height: 2rem;
    font-size: 0.93rem;
  }
  .upload {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.4rem 0.8rem;
    min-height: 2rem;
    pointer-events: none;
  }
  .upload button {
    position: relative;
    pointer-events: auto;
  }
  .what {
    flex: 1 1 8rem;
    display: flex;
    flex-wrap: wrap;
    gap: 0 0.8rem;
    align-items: baseline;
    min-width: 0;
  }
  .what b {
    font-weight: 550;
  }
  .upload progress {
    order: 1;
    width: 100%;
  }
  .upload.done .what::before {
    content: "✓";
    color: var(--nbf-good);
    font-weight: 700;
  }
  progress {
    appearance: none;
    display: block;
    width: 100%;
    height: 6px;
    border: 0;
    border-radius: 3px;
    overflow: hidden;
    background: var(--nbf-line);
  }
  progress::-webkit-progress-bar {
    background: var(--nbf-line);
  }
  progress::-webkit-progress-value {
    background: var(--nbf-accent);
    border-radius: 3px;
    transition: width 0.15s;
  }
  progress::-moz-progress-bar {
    background: var(--nbf-accent);
  }
  .unavailable {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.3rem 1rem;
    padding: 0.5rem 0.5rem 0.5rem 0.8rem;
    border: 1px solid var(--nbf-line);
    border-inline-start: 3px solid var(--nbf-bad);
    border-radius: var(--nbf-radius);
  }
  .unavailable p {
    margin: 0;
  }
  .unavailable button {
    color: var(--nbf-accent);
  }

  /* Runs */
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
  .runs {
    margin-top: 1.25rem;
    scroll-margin: 1rem;
  }
  .run {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.9rem;
  }
  .run > p {
    margin: 0;
  }
  .state {
    min-height: 2rem;
  }
  .state b {
    font-weight: 600;
  }
  .time {
    font-variant-numeric: tabular-nums;
  }
  .dot {
    width: 0.65rem;
    height: 0.65rem;
    border-radius: 50%;
    background: var(--nbf-soft);
  }
  .running .dot,
  .queued .dot,
  .cancelling .dot {
    background: var(--nbf-accent);
    animation: pulse 1.4s ease-in-out infinite;
  }
  .finished .dot {
    background: var(--nbf-good);
  }
  .failed .dot {
    background: var(--nbf-bad);
  }
  @keyframes pulse {
    50% {
      opacity: 0.3;
    }
  }
  .idle {
    height: 3px;
    border-radius: 2px;
    background: linear-gradient(90deg, transparent, var(--nbf-accent), transparent) 0 / 40% 100% no-repeat var(--nbf-line);
    animation: slide 1.6s linear infinite;
  }
  @keyframes slide {
    from {
      background-position: -80% 0;
    }
    to {
      background-position: 180% 0;
    }
  }
  .progress .bar {
    margin-bottom: 0.35rem;
  }
  .trouble {
    margin: 0 0 1rem;
    padding: 0.6rem 0.9rem;
    border-radius: var(--nbf-radius);
    border: 1px solid light-dark(#e0c27a, #6b5a2a);
    background: light-dark(#fff8e5, #2c2615);
  }
  .card {
    position: relative;
    margin: 0;
    border: 1px solid var(--nbf-line);
    border-radius: calc(var(--nbf-radius) + 2px);
    background: var(--nbf-raised);
    overflow: hidden;
  }
  pre {
    margin: 0;
    font: 0.87rem/1.5 var(--nbf-mono);
    white-space: pre-wrap;
    tab-size: 4;
  }
  .text pre {
    max-height: 32rem;
    overflow: auto;
    padding: 0.8rem 4.6rem 0.8rem 1rem;
  }
  .text .note {
    padding: 0 1rem 0.7rem;
  }
  .copy {
    position: absolute;
    z-index: 1;
    inset-block-start: 0.4rem;
    inset-inline-end: 0.4rem;
    background: var(--nbf-raised);
  }
  .prints {
    background: var(--nbf-sunken);
  }
  .prints .copy {
    background: var(--nbf-sunken);
    inset-inline-end: 1.1rem;
  }
  nbfunc-tail {
    display: block;
    max-height: 22rem;
    overflow: auto;
    padding: 0.8rem 4.6rem 0.8rem 1rem;
  }
  nbfunc-tail pre {
    content-visibility: auto;
    contain-intrinsic-size: auto 130rem;
  }
  nbfunc-tail pre:last-child {
    content-visibility: visible;
  }
  .stderr {
    color: var(--nbf-bad);
  }
  .error {
    padding: 0.8rem 1rem;
    border-inline-start: 4px solid var(--nbf-bad);
    background: color-mix(in srgb, var(--nbf-bad) 7%, var(--nbf-raised));
  }
  .error p {
    margin: 0;
    white-space: pre-wrap;
  }
  .error p + p {
    margin-top: 0.6rem;
  }
  .error ul {
    margin: 0.3rem 0 0;
    padding-inline-start: 1.2rem;
  }
  form > .error {
    margin-top: 1.5rem;
  }
  .error details {
    margin-top: 0.6rem;
  }
  .error details pre {
    overflow: auto;
    max-height: 24rem;
    margin-top: 0.5rem;
  }
  .error .copy {
    position: static;
    margin-top: 0.4rem;
    background: none;
  }
  summary {
    cursor: pointer;
    padding-block: 0.2rem;
  }
  .files {
    padding: 0;
    list-style: none;
  }
  .files li {
    display: flex;
    align-items: center;
    gap: 0.8rem;
    padding: 0.6rem 0.8rem;
  }
  .files li + li {
    border-top: 1px solid var(--nbf-line);
  }
  .files .what {
    flex-direction: column;
    align-items: flex-start;
  }
  .badge {
    flex: none;
    width: 2.9rem;
    padding: 0.5rem 0;
    border-radius: 6px;
    background: var(--nbf-tint);
    color: var(--nbf-accent);
    font-size: 0.68rem;
    font-weight: 700;
    text-align: center;
    letter-spacing: 0.03em;
  }
  .gone .badge,
  .gone b {
    opacity: 0.6;
  }
  .image img {
    display: block;
    max-width: 100%;
    height: auto;
    margin-inline: auto;
    background: #fff;
  }
  .image figcaption {
    display: flex;
    justify-content: flex-end;
    padding: 0.5rem 0.6rem;
    border-top: 1px solid var(--nbf-line);
  }
  .image .broken,
  .image.gone img,
  .image.gone .button {
    display: none;
  }
  .image.gone .broken {
    display: block;
    margin-inline-end: auto;
  }
  .frame iframe {
    display: block;
    width: 100%;
    height: 120px;
    border: 0;
  }
  .markdown {
    padding: 0.4rem 1.2rem;
  }
  .markdown pre,
  .markdown code {
    font-family: var(--nbf-mono);
    font-size: 0.87em;
    background: var(--nbf-sunken);
    border-radius: 4px;
    padding: 0.1em 0.3em;
  }
  .markdown pre {
    padding: 0.7rem 0.9rem;
    overflow: auto;
  }
  .markdown pre code {
    padding: 0;
  }
  .markdown h1 {
    font-size: 1.35rem;
    margin: 0.8em 0 0.4em;
  }
  .markdown h2 {
    font-size: 1.15rem;
    margin: 0.9em 0 0.4em;
    color: inherit;
  }
  .markdown table {
    border-collapse: collapse;
  }
  .markdown th,
  .markdown td {
    border: 1px solid var(--nbf-line);
    padding: 0.25rem 0.6rem;
  }
  .markdown blockquote {
    margin-inline: 0;
    padding-inline-start: 1rem;
    border-inline-start: 3px solid var(--nbf-line);
    color: var(--nbf-soft);
  }
  .markdown img {
    max-width: 100%;
  }
  a:not(.button) {
    color: var(--nbf-accent);
  }
  .more {
    text-align: center;
  }
  .earlier {
    margin-top: 2rem;
  }
  .earlier details {
    border-top: 1px solid var(--nbf-line);
    padding-block: 0.45rem;
  }
  .earlier .run {
    padding-block: 0.7rem;
  }

  @container (max-width: 480px) {
    .entry.pair {
      flex-wrap: wrap;
    }
    .entry.pair .key:not([type="checkbox"]) {
      flex: 1 1 100%;
    }
    form {
      padding: 1rem 0.9rem;
    }
    .group > .inner {
      padding: 0.8rem;
    }
    .submit .primary {
      flex: 1;
    }
    .files li {
      gap: 0.6rem;
      flex-wrap: wrap;
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
