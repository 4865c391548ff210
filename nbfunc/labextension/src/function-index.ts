/** `<nbfunc-index>`: the server's list of functions, which works without this; with it, searched and live. */

import { Api, type FunctionRow } from "./api.js";
import { pageStream } from "./events.js";
import { t } from "./words.js";

/** A list longer than this has a search. */
const SEARCHED = 12;

const SEARCH_STYLE = `width: 100%; box-sizing: border-box; min-height: 2.5rem; margin: 0.75rem 0; padding: 0.45rem 0.7rem;
  font: inherit; color: inherit; background: var(--nbfunc-surface, Field);
  border: 1px solid var(--nbfunc-muted, GrayText); border-radius: var(--nbfunc-radius, 8px)`;

export class IndexElement extends HTMLElement {
  private control = new AbortController();
  private readonly search = document.createElement("input");
  private readonly none = document.createElement("p");
  private asking = false;
  private stale = false;

  connectedCallback(): void {
    this.control = new AbortController();
    const { signal } = this.control;
    const api = new Api("", new URL(this.getAttribute("shared") ?? "-/", document.baseURI).href);
    this.search.type = "search";
    this.search.placeholder = t`Search`;
    this.search.className = "search";
    this.search.style.cssText = SEARCH_STYLE;
    this.search.setAttribute("aria-label", t`Search the functions`);
    this.search.addEventListener("input", () => this.sift(), { signal });
    this.none.setAttribute("role", "status");
    this.none.className = "muted";
    this.before(this.search);
    this.after(this.none);
    this.sift();
    if (!this.search.hidden) this.search.focus();
    pageStream(api).listen(
      {
        event: () => void this.refresh(api),
        back: () => void this.refresh(api),
      },
      signal,
    );
  }

  disconnectedCallback(): void {
    this.control.abort();
    this.search.remove();
    this.none.remove();
  }

  /** Ask again; what changes while the answer is on its way is asked for after it. */
  private async refresh(api: Api): Promise<void> {
    this.stale = true;
    if (this.asking) return;
    this.asking = true;
    while (this.stale) {
      this.stale = false;
      const answer = await api.functions();
      if (answer.ok) this.list(answer.value);
    }
    this.asking = false;
  }

  /** Show what the search matches. */
  private sift(): void {
    const items = [...this.querySelectorAll<HTMLElement>("li")];
    this.search.hidden = items.length <= SEARCHED && !this.search.value;
    const words = this.search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) {
      const text = item.textContent.toLocaleLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of this.querySelectorAll<HTMLElement>("section")) {
      group.hidden = !group.querySelector("li:not([hidden])");
    }
    const found = items.some((item) => !item.hidden);
    this.none.textContent = found || !items.length ? "" : t`No function matches “${this.search.value}”.`;
  }

  /** Draw the list as the server's index.html does: a section a notebook and group, a link a function. */
  private list(rows: FunctionRow[]): void {
    const groups = new Map<string, FunctionRow[]>();
    for (const row of rows) {
      const key = JSON.stringify([row.kernel, row.notebook, row.group]);
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    this.replaceChildren(...[...groups.values()].map(section));
    if (!rows.length) this.append(nothing());
    this.sift();
  }
}

function nothing(): HTMLElement {
  const said = element("p", "No function is exposed now. In a notebook, run ");
  said.className = "card";
  said.append(element("code", "%load_ext nbfunc"), ", then ", element("code", "%func_to_web f"), ".");
  return said;
}

function section(members: FunctionRow[]): HTMLElement {
  const made = element("section");
  const { notebook, group, state } = members[0] ?? {};
  const name = [notebook, group].filter(Boolean).join(" · ");
  made.dataset["group"] = name;
  if (name) {
    const heading = element("h2", name);
    if (state) {
      const said = element("span", state);
      said.className = "state";
      heading.append(" ", said);
    }
    made.setAttribute("aria-label", name);
    made.append(heading);
  }
  const list = element("ul");
  list.className = "functions";
  for (const { url, title, description } of members) {
    const link = element("a");
    link.href = url;
    link.className = "card";
    link.append(element("strong", title));
    if (description) {
      const said = element("span", description);
      said.className = "muted";
      link.append(said);
    }
    const item = element("li");
    item.append(link);
    list.append(item);
  }
  made.append(list);
  return made;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
