/** How what a run prints and returns looks. */

import { css } from "lit";

export const outputs = css`
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

  @container (max-width: 480px) {
    .files li {
      gap: 0.6rem;
      flex-wrap: wrap;
    }
  }
`;
