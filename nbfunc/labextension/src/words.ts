/** What people read, in their language: by JupyterLab's translator where there is one, in English elsewhere. */

/** `%1` in a text stands for the first value; the text with its `%1` is what catalogs translate. */
export type Translate = (text: string, ...values: (string | number)[]) => string;

let translate: Translate = (text, ...values) => text.replace(/%(\d)/g, (_, at) => String(values[Number(at) - 1] ?? ""));

/** Translate by another: once, for the whole page, before anything is drawn. */
export function speak(by: Translate): void {
  translate = by;
}

/** t`Move ${what} up` is the translation of "Move %1 up". */
export function t(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return translate(parts.reduce((text, part, at) => `${text}%${at}${part}`), ...values);
}
