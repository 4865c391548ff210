/**
 * Inline forms (`nbfunc.panel`) that no kernel stands behind say so, in a notebook that is open.
 *
 * ipywidgets marks its widgets when a kernel restarts, and not when it is shut down or changed for another; and of
 * a form whose notebook is opened again it says "Error displaying widget: model not found".
 */

import type { Cell, CodeCell } from "@jupyterlab/cells";
import type { NotebookPanel } from "@jupyterlab/notebook";

const BROKEN = /^(Error displaying widget|Loading widget)/;
const OURS = /^The forms? of .+: run this cell to use (it|them)\.$/;

/** Follow the kernel of a notebook. */
export function followKernel({ sessionContext, node }: NotebookPanel): void {
  const mark = (): void => {
    for (const form of node.querySelectorAll(".nbfunc-panel")) form.classList.add("jupyter-widgets-disconnected");
  };
  sessionContext.kernelChanged.connect((_, { oldValue }) => {
    if (oldValue) mark();
  });
  sessionContext.statusChanged.connect((_, status) => {
    if (status === "dead" || status === "terminating") mark();
  });
}

const isCode = (cell: Cell): cell is CodeCell => cell.model.type === "code";

/** Put what the notebook has saved in place of ipywidgets' text for forms that are gone. */
export function tellLost({ content, sessionContext }: NotebookPanel): void {
  const kernel = sessionContext.session?.kernel;
  for (const cell of content.widgets) {
    if (!isCode(cell)) continue;
    const { outputArea } = cell;
    outputArea.widgets.forEach((shown, at) => {
      const place = shown.node.querySelector<HTMLElement>(".jp-OutputArea-output");
      const said = place?.childElementCount === 0 ? place.textContent : "";
      // While there is a kernel, what is loading may come.
      if (!place || !BROKEN.test(said) || (kernel && said.startsWith("Loading"))) return;
      const text: unknown = outputArea.model.get(at).data["text/plain"];
      const saved = Array.isArray(text) ? text.join("") : text;
      if (typeof saved === "string" && OURS.test(saved)) place.textContent = saved;
    });
  }
}
