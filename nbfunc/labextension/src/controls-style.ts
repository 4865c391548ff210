/** How what can be pressed or typed into looks, wherever it stands. */

import { css } from "lit";

export const controls = css`
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
`;
