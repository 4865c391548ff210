/** How a run looks, what is said of it, and the runs before it. */

import { css } from "lit";

export const runs = css`
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
`;
