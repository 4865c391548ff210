/** The call that a form would make, as a program makes it. Tokens stay out: a snippet is passed on. */

import { encode, type Json } from "../schema.js";

export function curl(url: string, values: Json): string {
  return [
    `curl ${shell(url)}`,
    `  -H "Authorization: token $JUPYTER_TOKEN"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${shell(encode(values))}`,
  ].join(" \\\n");
}

export function python(url: string, values: Json): string {
  return `import os

import requests

answer = requests.post(
    ${literal(url)},
    json=${literal(values)},
    headers={"Authorization": f"token {os.environ['JUPYTER_TOKEN']}"},
)
answer.raise_for_status()
print(answer.json()["outputs"])
`;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** JSON as Python writes it. */
function literal(value: Json): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${literal(one)}`);
    return `{${entries.join(", ")}}`;
  }
  return encode(value);
}
