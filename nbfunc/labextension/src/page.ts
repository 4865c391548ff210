/** The page around a form or the index: theme, frame, and what keeps the index live. */

import { FormElement } from "./form.js";
import { frame } from "./page-frame.js";

customElements.define("nbfunc-form", FormElement);
frame();
