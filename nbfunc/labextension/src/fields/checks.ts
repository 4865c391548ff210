/** What the browser can check of JSON Schema's constraints, in words for the field. The server checks all. */

import type { SchemaNode } from "../schema.js";
import { t } from "../words.js";

export function numberFault(node: SchemaNode, value: number | bigint): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = node;
  if (minimum !== undefined && value < minimum) return t`Must be at least ${String(minimum)}.`;
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return t`Must be more than ${String(exclusiveMinimum)}.`;
  if (maximum !== undefined && value > maximum) return t`Must be at most ${String(maximum)}.`;
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return t`Must be less than ${String(exclusiveMaximum)}.`;
  if (multipleOf !== undefined && typeof value === "number") {
    // 0.3 is a multiple of 0.1 to whoever types it, though not in doubles.
    const times = value / multipleOf;
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))) {
      return t`Must be a multiple of ${multipleOf}.`;
    }
  }
  return "";
}

/** Python counts code points, `String.length` UTF-16 units: 👍 is one character to the server. */
export function lengthFault(node: SchemaNode, text: string): string {
  const { minLength = 0, maxLength = Infinity } = node;
  // A code point is one unit or two: most texts need no counting.
  if (text.length >= 2 * minLength && text.length <= maxLength) return "";
  const length = Array.from(text).length;
  if (length < minLength) {
    return length === 0 && minLength === 1 ? t`Enter a text.` : t`Must have at least ${count(minLength, "characters")}.`;
  }
  return length > maxLength ? t`Must have at most ${count(maxLength, "characters")}; it has ${length}.` : "";
}

/** A pattern is searched, as pydantic does; one that this browser reads otherwise is left to the server. */
export function patternFault(node: SchemaNode, text: string): string {
  if (node.pattern === undefined) return "";
  // \w, \d, \s and \b know every script to the server, and ASCII alone to a browser.
   
  if (/\\[wdsb]/i.test(node.pattern) && /[^\x00-\x7f]/.test(text)) return "";
  const pattern = compiled(node.pattern);
  return !pattern || pattern.test(text) ? "" : t`Must match the pattern ${node.pattern}`;
}

function compiled(source: string): RegExp | null {
  const script = source.replace(/\(\?P</g, "(?<").replace(/\\A/g, "^").replace(/\\[zZ]/g, "$");
  // With "u" an escape without need (\@) is an error; without it an escape of another dialect is a letter.
  const flags = /\\(?![dDwWsSbBntrfvxu])[a-zA-Z]/.test(script) ? ["u"] : ["u", ""];
  for (const flag of flags) {
    try {
      return new RegExp(script, flag);
    } catch {
      // The next, or the server.
    }
  }
  return null;
}

export function itemsFault(node: SchemaNode, items: number, what: Counted): string {
  const { minItems = 0, maxItems = Infinity } = node;
  if (items < minItems) return t`Needs at least ${count(minItems, what)}.`;
  if (items > maxItems) return t`Takes at most ${count(maxItems, what)}.`;
  return "";
}

type Counted = "characters" | "files" | "options" | "rows";

function count(number: number, what: Counted): string {
  const one = { characters: t`${1} character`, files: t`${1} file`, options: t`${1} option`, rows: t`${1} row` };
  const more = {
    characters: t`${number} characters`,
    files: t`${number} files`,
    options: t`${number} options`,
    rows: t`${number} rows`,
  };
  return (number === 1 ? one : more)[what];
}
