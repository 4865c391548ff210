/** What a page of its own has beside the element: a theme that is remembered, an index that is searched and live. */

import { Api, type FunctionRow } from "./api.js";
import { pageStream } from "./events.js";

type Theme = "system" | "light" | "dark";

const THEME = "nbfunc:theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const SIGNS: Record<Theme, string> = { system: "◐", light: "☀", dark: "☾" };
/** An index longer than this has a search. */
const SEARCHED = 12;

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(THEME);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

function wear(theme: Theme): void {
  const root = document.documentElement;
  root.style.colorScheme = theme === "system" ? "light dark" : theme;
  root.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(THEME);
    else localStorage.setItem(THEME, theme);
  } catch {
    // Storage is forbidden here: the theme lasts as long as the page.
  }
}

/** The button that goes round the themes; the shell has a place for it, `[data-nbfunc-theme]`. */
function themeButton(): HTMLButtonElement {
  const button = document.createElement("button");
  let theme = storedTheme();
  const show = (): void => {
    button.textContent = SIGNS[theme];
    button.setAttribute("aria-label", `Theme: ${theme}. Change to ${NEXT[theme]}`);
    button.title = `Theme: ${theme}`;
  };
  button.type = "button";
  button.className = "nbfunc-theme";
  button.addEventListener("click", () => {
    wear((theme = NEXT[theme]));
    show();
  });
  show();
  return button;
}

/** `?-embed=1`: the form without what is around it. */
function embedded(): boolean {
  const said = new URLSearchParams(location.search).get("-embed");
  return said !== null && said !== "0";
}

export function frame(): void {
  wear(storedTheme());
  if (embedded()) document.documentElement.dataset["embed"] = "";
  document.querySelector("[data-nbfunc-theme]")?.append(themeButton());
  // A frame in another page must not pull the focus to itself.
  const form = document.querySelector("nbfunc-form");
  if (form && !embedded()) form.focusfirst = true;
  const index = document.querySelector<HTMLElement>("[data-nbfunc-index]");
  if (index) enhance(index);
}

/** The index works without this; with it, it can be searched, and follows what comes and goes. */
function enhance(index: HTMLElement): void {
  const api = new Api("", new URL(index.dataset["shared"] ?? "-/", document.baseURI).href);
  const search = searchBox(index);
  const signal = new AbortController().signal;
  let busy = false;
  const refresh = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    const answer = await api.functions();
    busy = false;
    if (!answer.ok) return;
    list(index, answer.value);
    search();
  };
  pageStream(api).listen(
    {
      event: ({ kind }) => {
        if (kind !== "kernel") void refresh();
      },
      back: () => void refresh(),
    },
    signal,
  );
}

/** A box over the list, once that is long; returns what applies it to a list that was drawn anew. */
function searchBox(index: HTMLElement): () => void {
  const input = document.createElement("input");
  const none = document.createElement("p");
  const apply = (): void => {
    const links = [...index.querySelectorAll<HTMLElement>("li")];
    input.hidden = links.length <= SEARCHED && !input.value;
    const words = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const link of links) {
      const text = link.textContent.toLocaleLowerCase();
      link.hidden = !words.every((word) => text.includes(word));
      if (!link.hidden) shown += 1;
    }
    for (const group of index.querySelectorAll<HTMLElement>("section")) {
      group.hidden = !group.querySelector("li:not([hidden])");
    }
    none.hidden = shown > 0;
    none.textContent = input.value ? `No function matches “${input.value}”.` : "";
  };
  input.type = "search";
  input.className = "nbfunc-search";
  input.placeholder = "Search";
  input.setAttribute("aria-label", "Search the functions");
  input.addEventListener("input", apply);
  none.setAttribute("role", "status");
  index.before(input);
  index.after(none);
  apply();
  if (!input.hidden) input.focus();
  return apply;
}

/** Draw the list as the server draws it: a section a group, a link a function. */
function list(index: HTMLElement, rows: FunctionRow[]): void {
  const groups = new Map<string, FunctionRow[]>();
  for (const row of rows) groups.set(row.group ?? "", [...(groups.get(row.group ?? "") ?? []), row]);
  index.replaceChildren(
    ...[...groups].map(([name, members]) => {
      const section = document.createElement("section");
      if (name) section.append(Object.assign(document.createElement("h2"), { textContent: name, dir: "auto" }));
      const items = document.createElement("ul");
      for (const { url, title, description } of members) {
        const link = Object.assign(document.createElement("a"), { href: url });
        link.append(Object.assign(document.createElement("b"), { textContent: title, dir: "auto" }));
        const first = description.split("\n")[0] ?? "";
        if (first) link.append(Object.assign(document.createElement("span"), { textContent: first, dir: "auto" }));
        const item = document.createElement("li");
        item.append(link);
        items.append(item);
      }
      section.append(items);
      return section;
    }),
  );
}
