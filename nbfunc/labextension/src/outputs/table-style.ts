/** How a table looks; it comes with the table. */

import { css } from "lit";

export const tableStyles = css`
  .bar {
    padding: 0.5rem 0.8rem;
    border-bottom: 1px solid var(--nbf-line);
  }
  .bar input[type="search"]:not([type="checkbox"]) {
    flex: 1 1 6rem;
    width: auto;
    min-width: 5rem;
    max-width: 12rem;
    min-height: 1.9rem;
    padding: 0.15rem 0.6rem;
    font-size: 0.87rem;
  }
  .problem {
    margin: 0.5rem 0.8rem;
  }
  .scroll {
    max-height: 420px;
    overflow: auto;
    overflow-anchor: none;
  }
  .scroll:focus-visible {
    outline-offset: -2px;
  }
  table {
    width: 100%;
    table-layout: fixed;
    border-collapse: separate;
    border-spacing: 0;
    font-size: 0.87rem;
    font-variant-numeric: tabular-nums;
  }
  th {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 0;
    background: var(--nbf-sunken);
    border-bottom: 1px solid var(--nbf-line);
  }
  th button {
    justify-content: flex-start;
    width: 100%;
    min-height: 2.1rem;
    padding: 0 0.8rem;
    border: 0;
    border-radius: 0;
    background: none;
    font-weight: 600;
  }
  th button span:first-child {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  th button:hover {
    background: var(--nbf-tint);
  }
  th button:focus-visible {
    outline-offset: -2px;
  }
  th.number button {
    justify-content: flex-end;
  }
  .arrow {
    font-size: 0.65em;
    color: var(--nbf-accent);
  }
  td {
    height: 30px;
    max-height: 30px;
    padding: 0 0.8rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  td.number {
    text-align: end;
  }
  td.missing,
  td.wait {
    color: var(--nbf-soft);
  }
  tr.odd td {
    background: color-mix(in srgb, var(--nbf-sunken) 55%, transparent);
  }
  tr.space td {
    padding: 0;
    border: 0;
  }
`;
