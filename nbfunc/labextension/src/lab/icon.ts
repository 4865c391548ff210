import { LabIcon } from "@jupyterlab/ui-components";

/** A form: lines to fill in, and a button. */
export const formIcon = new LabIcon({
  name: "nbfunc:form",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
    <g class="jp-icon3" fill="#616161"><path d="M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v14h14V5H5z"/>
    <path d="M7 7h10v2H7zm0 4h10v2H7zm5 4h5v2h-5z"/></g></svg>`,
});
