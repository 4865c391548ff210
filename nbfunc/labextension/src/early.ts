/** The form as its page came with it: HTML's own controls, in use before the script had come. */

import type { Control, Field } from "./fields/field.js";

/** Where in a control the person was. */
interface Caret {
  /** What the control held. */
  text: string;
  start: number | null;
  end: number | null;
  direction: "forward" | "backward" | "none" | undefined;
  /** All of it was chosen, where a control tells no more: what is typed next replaces it. */
  whole: boolean;
}

export class Early {
  private caret: Caret | null = null;

  constructor(
    private readonly root: ShadowRoot,
    private readonly page: Element,
  ) {}

  /** What the server has drawn in an element, if anything. */
  static in(element: Element): Early | null {
    const root = element.shadowRoot;
    const page = root?.querySelector(".early");
    return root && page ? new Early(root, page) : null;
  }

  private get form(): HTMLFormElement | null {
    return this.page.querySelector("form");
  }

  private get focused(): Control | null {
    const active = this.root.activeElement;
    return active?.matches("input, select, textarea") ? (active as Control) : null;
  }

  /** Whether something is typed by half that no other control could be given: letters being composed, "-", a year. */
  get unsettled(): boolean {
    const control = this.focused;
    if (!control) return false;
    if (control.dataset["composing"] || control.validity.badInput) return true;
    return /^(date|time)/.test(control.type) && this.changed().includes(control);
  }

  /** Wait until it is typed whole, or left. */
  async settled(): Promise<void> {
    while (this.unsettled) {
      await new Promise((resolve) => {
        // Not at once: the focus is on its way to another control.
        const soon = (): unknown => setTimeout(resolve);
        for (const kind of ["input", "focusout", "compositionend"]) this.root.addEventListener(kind, soon, { once: true });
      });
    }
  }

  /** The controls that a person has put something else into. */
  private changed(): Control[] {
    const { form } = this;
    const fresh = form?.cloneNode(true) as HTMLFormElement | undefined;
    fresh?.reset();
    // What a control makes of its default is not always the default itself: a line of text leaves out line ends.
    const held = (element: Element | undefined): string => {
      const { value, checked, selectedIndex } = element as unknown as Record<string, unknown>;
      return JSON.stringify([value, checked, selectedIndex]);
    };
    return ([...(form?.elements ?? [])] as Control[]).filter(
      (one, at) => one.validity.badInput || held(one) !== held(fresh?.elements[at]),
    );
  }

  /** Put what was typed into the fields of its names; return the field that the person is in. */
  give(fields: ReadonlyMap<string, Field>): Field | null {
    const fieldOf = (control: Control): Field | undefined =>
      fields.get(control.closest<HTMLElement>("[data-field]")?.dataset["field"] ?? "");
    for (const control of this.changed()) fieldOf(control)?.put?.(control);
    const control = this.focused;
    if (!control) return null;
    const { selectionStart, selectionEnd, selectionDirection } = control as HTMLInputElement;
    this.caret = {
      text: control.value,
      start: selectionStart,
      end: selectionEnd,
      direction: selectionDirection ?? undefined,
      whole: control.value !== "" && getSelection()?.toString() === control.value,
    };
    return fieldOf(control) ?? null;
  }

  /** Leave the place to the element's own form: to this control of it, if the person was in ours. */
  leave(control: HTMLElement | null): void {
    const { caret } = this;
    if (control && caret) {
      const input = control as HTMLInputElement;
      input.focus({ preventScroll: true });
      if (input.value === caret.text) {
        if (typeof caret.start === "number") input.setSelectionRange(caret.start, caret.end, caret.direction);
        else if (caret.whole) input.select();
      }
    }
    this.page.remove();
  }
}
