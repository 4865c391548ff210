/** The page of its own around a form or an index of forms; the shell that the server sends has its frame and theme. */

import { FormElement } from "./form.js";
import { IndexElement } from "./function-index.js";

/** `?-embed=1`: another page has a frame for the form already. */
const embedded = !["", "0"].includes(new URLSearchParams(location.search).get("-embed") ?? "");

for (const form of document.querySelectorAll("nbfunc-form")) {
  form.setAttribute("query", location.search);
  form.toggleAttribute("plain", embedded);
  // A frame in another page must not pull the focus to itself.
  if (window === window.top) form.toggleAttribute("focusfirst", true);
}
customElements.define("nbfunc-form", FormElement);
customElements.define("nbfunc-index", IndexElement);
