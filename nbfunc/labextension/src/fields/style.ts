/** How the fields look, simple and compound. */

import { css } from "lit";

export const fields = css`
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
  /* As wide as the field, so that a label from right to left begins where its field does. */
  .head label,
  .head > span:first-child {
    flex: 1;
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

  .row {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 0.6rem;
  }
  .row > input[type="color"] + input {
    flex: 1;
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

  @container (max-width: 480px) {
    .entry.pair {
      flex-wrap: wrap;
    }
    .entry.pair .key:not([type="checkbox"]) {
      flex: 1 1 100%;
    }
    .group > .inner {
      padding: 0.8rem;
    }
  }
`;
