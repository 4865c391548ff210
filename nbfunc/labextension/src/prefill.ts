/** The page's address fills the form: `?name=value`, repeated for lists, JSON for the nested. */

import { place, type GroupField } from "./fields/group.js";

/** Put a query's values into the fields of their names; a bad one is shown at its field. */
export function prefill(form: GroupField, query: URLSearchParams): void {
  for (const name of new Set(query.keys())) {
    // Names that start with a dash are ours: ?-embed=1.
    if (name.startsWith("-")) continue;
    const field = form.fields.get(name);
    if (!field) continue;
    place(field, () => field.prefill(query.getAll(name)));
    field.review();
  }
}
