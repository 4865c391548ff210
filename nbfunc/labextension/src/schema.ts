/** The form as data: JSON Schema 2020-12 with the field hints under `x-nbfunc`. */

/** What JSON holds. A `bigint` is an integer that a double would round; `encode` writes its digits. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

export type JsonObject = Record<string, Json>;

export type Kind =
  | "number"
  | "text"
  | "checkbox"
  | "date"
  | "time"
  | "datetime"
  | "duration"
  | "color"
  | "email"
  | "file"
  | "choice"
  | "choices"
  | "list"
  | "optional"
  | "variants"
  | "group"
  | "dict";

export interface Hints {
  kind?: Kind;
  slider?: boolean;
  rows?: number;
  password?: boolean;
  placeholder?: string;
  extensions?: string[];
  max_size?: number | null;
  default_name?: string | null;
  /** There is a default, and it is a secret: to leave the field empty is to take it. */
  default_hidden?: boolean;
  /** Which variant takes the default that is not shown. */
  default_type?: string;
  labels?: string[];
  dynamic?: boolean;
  error?: string | null;
  start?: boolean;
}

export interface SchemaNode {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  const?: Json;
  enum?: Json[];
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: SchemaNode | boolean;
  minimum?: number | bigint;
  maximum?: number | bigint;
  exclusiveMinimum?: number | bigint;
  exclusiveMaximum?: number | bigint;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  format?: string;
  "x-nbfunc"?: Hints;
}

/** `GET R<function>/schema`. */
export interface FormSchema {
  name: string;
  title: string;
  description: string;
  parameters: SchemaNode;
  /** "main": it runs on the notebook's main thread, between cells. */
  where?: "main" | null;
}

/** The path to a value, such as `["tags", 2]`. */
export type Loc = (string | number)[];

/** What the server says is wrong with one value. */
export interface Problem {
  loc: Loc;
  msg: string;
}

export function hints(node: SchemaNode): Hints {
  return node["x-nbfunc"] ?? {};
}

/** What is said of a default that is not shown: of a field that holds others, it is about one of these. */
export function told(node: SchemaNode): Hints {
  return Object.fromEntries(Object.entries(hints(node)).filter(([key]) => key.startsWith("default_")));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field kind of a node; the hint says it, and plain JSON Schema is understood as well. */
export function kindOf(node: SchemaNode): Kind {
  const said = hints(node).kind;
  if (said) return said;
  if (node.enum) return "choice";
  if (node.anyOf) return node.anyOf.some((one) => one.type === "null") ? "optional" : "variants";
  const type = Array.isArray(node.type) ? node.type[0] : node.type;
  if (type === "number" || type === "integer") return "number";
  if (type === "boolean") return "checkbox";
  if (type === "array") return "list";
  if (type === "object") return node.properties ? "group" : "dict";
  return "text";
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Stands before the digits of an integer that JSON.parse would round; for private use in Unicode. */
const KEPT = "\uE0F0";

/** Read JSON, integers beyond 2^53 digit by digit. */
export function decode(text: string): unknown {
  // As nearly always: then nothing needs a look at each number.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const kept = text.replace(TOKEN, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${KEPT}${token}"` : token,
  );
  return JSON.parse(kept, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(KEPT) && /^-?\d+$/.test(value.slice(1)) ? BigInt(value.slice(1)) : value,
  );
}

/** Write JSON to be read by people. */
export function pretty(value: Json, indent = ""): string {
  if (typeof value !== "object" || value === null) return encode(value);
  const deeper = `${indent}  `;
  const [open, close, lines] = Array.isArray(value)
    ? ["[", "]", value.map((one) => pretty(one, deeper))]
    : ["{", "}", Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pretty(one, deeper)}`)];
  return lines.length ? `${open}\n${deeper}${lines.join(`,\n${deeper}`)}\n${indent}${close}` : open + close;
}

/** Write JSON, integers beyond 2^53 digit by digit. */
export function encode(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${JSON.stringify(key)}:${encode(one)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Whether two JSON values are the same value (`1` and `true` are not). */
export function same(a: Json, b: Json): boolean {
  return encode(a) === encode(b);
}

/** The end of a `switch` over a tagged union: a new tag fails to compile here. */
export function assertNever(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`);
}
