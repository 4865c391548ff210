/** The table of kinds: what the schema calls a field, and what draws it. */

import { kindOf, type Kind, type SchemaNode } from "../schema.js";
import { CheckboxField, ChoiceField, ChoicesField } from "./choices.js";
import { ColorField } from "./color.js";
import { DictField } from "./dict.js";
import { DurationField } from "./duration.js";
import type { Field, Home } from "./field.js";
import { FileField } from "./file.js";
import { GroupField, fillInto } from "./group.js";
import { ListField } from "./list.js";
import { NumberField } from "./number.js";
import { OptionalField } from "./optional.js";
import { EmailField, TextField } from "./text.js";
import { VariantsField } from "./variants.js";
import { WhenField } from "./when.js";

type FieldClass = new (node: SchemaNode, name: string, home: Home) => Field;

const FIELDS: Record<Kind, FieldClass> = {
  number: NumberField,
  text: TextField,
  checkbox: CheckboxField,
  date: WhenField,
  time: WhenField,
  datetime: WhenField,
  duration: DurationField,
  color: ColorField,
  email: EmailField,
  file: FileField,
  choice: ChoiceField,
  choices: ChoicesField,
  list: ListField,
  optional: OptionalField,
  variants: VariantsField,
  group: GroupField,
  dict: DictField,
};

/** Make the field of a node, with its default in it. */
export function makeField(node: SchemaNode, name: string, home: Home): Field {
  const field = new FIELDS[kindOf(node)](node, name, home);
  if (node.default !== undefined) fillInto(field, node.default);
  field.settle();
  return field;
}
