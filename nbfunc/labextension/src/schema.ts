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
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
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
