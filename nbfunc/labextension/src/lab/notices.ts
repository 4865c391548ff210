/** Tell that a long run has ended, to who does not see it. */

import { Notification } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";

import type { FunctionRow, RunRow } from "../api.js";
import { humanTime } from "../measure.js";
import { tookOf, type Activity } from "./activity.js";
import type { Catalog } from "./catalog.js";

export interface NoticeOptions {
  catalog: Catalog;
  trans: TranslationBundle;
  /** Seconds that a run must have taken; 0: none is told of. */
  after: () => number;
  /** Whether the form of this address is in view. */
  inView: (url: string) => boolean;
  open: (row: FunctionRow) => void;
}

export function tellEnds(activity: Activity, options: NoticeOptions): void {
  const { catalog, trans, after, inView, open } = options;
  activity.ended.connect((_, run) => {
    if (!after() || tookOf(run) < after() || inView(run.url)) return;
    const row = catalog.rows.find(({ url }) => url === run.url);
    const { text, type } = ended(run, row?.title ?? run.function, trans);
    const actions = row ? [{ label: trans.__("Show"), callback: (): void => open(row) }] : [];
    Notification.emit(text, type, { autoClose: 10_000, actions });
  });
}

function ended(
  run: RunRow,
  name: string,
  trans: TranslationBundle,
): { text: string; type: "success" | "error" | "info" } {
  const took = humanTime(tookOf(run));
  if (run.status === "finished") return { text: trans.__("%1 is done, after %2.", name, took), type: "success" };
  if (run.status === "failed") return { text: trans.__("%1 failed, after %2.", name, took), type: "error" };
  return { text: trans.__("%1 was cancelled.", name), type: "info" };
}
