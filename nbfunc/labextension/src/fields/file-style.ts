/** How files that are chosen and sent look. */

import { css } from "lit";

export const files = css`
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
`;
