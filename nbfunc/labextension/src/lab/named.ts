/** Controls of inline forms (`nbfunc.panel`) to which ipywidgets gives no name: they get their field's. */

const UNNAMED = [".noUi-handle", ".widget-readout[contenteditable]", 'input[type="color"]']
  .map((one) => `.nbfunc-panel .nbfunc-control ${one}:not([aria-label])`)
  .join();

/** Name what screen readers would call a slider or a colour, and nothing else. */
export function nameControls(root: ParentNode): void {
  for (const one of root.querySelectorAll(UNNAMED)) {
    const label = one.closest(".nbfunc-control")?.querySelector(".widget-label")?.textContent;
    if (!label) continue;
    one.setAttribute("aria-label", label);
    // A readout is typed into, which only its looks tell.
    if (one.classList.contains("widget-readout")) one.setAttribute("role", "textbox");
  }
}
