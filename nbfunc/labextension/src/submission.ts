/** From a filled form to a run: check, wait for uploads, post; a refusal goes to the fields that it is about. */

import type { Api, Begun, Failure } from "./api.js";
import type { Field } from "./fields/field.js";
import type { GroupField } from "./fields/group.js";
import type { Problem } from "./schema.js";
import { t } from "./words.js";

/** Who shows how the submit stands. */
export interface SubmissionHome {
  redraw(): void;
  say(text: string): void;
  focus(id: string): void;
}

export class Submission {
  sending: "" | "uploads" | "posting" = "";
  /** Why the submit was not taken. */
  failure: Failure | null = null;
  /** What is wrong with it, and has no field. */
  unplaced: Problem[] = [];

  constructor(
    private readonly api: Api,
    private readonly home: SubmissionHome,
  ) {}

  clear(): void {
    this.failure = null;
    this.unplaced = [];
  }

  /** Submit; return the run, or null where it was not taken. */
  async submit(fields: GroupField): Promise<Begun | null> {
    if (this.sending) return null;
    this.clear();
    if (!this.passes(fields.check())) return null;
    const uploads = fields.uploads();
    // What a run has taken goes with that run.
    for (const upload of uploads) if (upload.spent) upload.again();
    if (uploads.some(({ state }) => state === "sending" || state === "waiting")) {
      this.to("uploads");
      await Promise.all(uploads.map(({ settled }) => settled));
      if (!this.passes(fields.check())) {
        this.to("");
        return null;
      }
    }
    this.to("posting");
    const run = await this.post(fields, true);
    this.to("");
    return run;
  }

  private to(sending: Submission["sending"]): void {
    this.sending = sending;
    this.home.redraw();
  }

  /** Whether nothing is wrong; otherwise go to the first field that is. */
  private passes(wrong: Field[]): boolean {
    const [first] = wrong;
    if (!first) return true;
    this.home.say(wrong.length === 1 ? t`One value needs another look.` : t`${wrong.length} values need another look.`);
    this.home.focus(first.focusId);
    this.home.redraw();
    return false;
  }

  private async post(fields: GroupField, resend: boolean): Promise<Begun | null> {
    const sent = fields.uploads();
    const answer = await this.api.start(fields.value());
    if (answer.ok) {
      for (const upload of sent) upload.spent = true;
      return answer.value;
    }
    if (answer.failure.status === 422 && resend && (await this.sendAgain(fields, answer.failure.problems))) {
      return this.post(fields, false);
    }
    this.refused(fields, answer.failure);
    return null;
  }

  /** Send the files again whose upload a refusal says is gone; whether there were any. */
  private async sendAgain(fields: GroupField, problems: Problem[]): Promise<boolean> {
    const blamed = problems.flatMap(({ loc }) => fields.find(loc).field.uploads());
    const lost = [];
    for (const upload of new Set(blamed)) if (!(await upload.stands())) lost.push(upload);
    for (const upload of lost) upload.again();
    if (lost.length) this.to("uploads");
    await Promise.all(lost.map(({ settled }) => settled));
    return lost.length > 0 && fields.check().length === 0;
  }

  private refused(fields: GroupField, failure: Failure): void {
    const wrong: Field[] = [];
    for (const problem of failure.problems) {
      const { field, rest } = fields.find(problem.loc);
      if (field === fields) this.unplaced.push(problem);
      else {
        field.problem = [rest.join(" › "), problem.msg].filter(Boolean).join(": ");
        wrong.push(field);
      }
    }
    if (!this.passes(wrong) && !this.unplaced.length) return;
    this.failure = failure;
    this.home.say(failure.message);
  }
}
