// What is tried by hand until the server's run of it is here: thresholds, what was answered about them, and which of all this
// the stage shows. Nothing here touches the page.

import { previewStates, same, statesOf } from "./fate.js";

const PATIENCE = 6000; // ms that a preview waits for its exact result before older ones are shown again
const STALE = 250; // ms that an answer of another frame of this drag stays, until the preview takes over

export class Trial {
  constructor(now = () => Date.now()) {
    this.now = now;
    this.end();
  }

  end() {
    this.thresholds = null; // null where nothing is tried
    this.answered = null; // the last answer about them, and when it came
    this.sent = null; // {thresholds, at} when the page was asked for its run
  }

  answer(answer) {
    this.answered = { ...answer, at: this.now() };
  }

  send(thresholds) {
    this.thresholds = thresholds;
    this.sent = { thresholds, at: this.now() };
  }

  /**
   * Results of the page have come: the trial ends with those that it waits for, or when it has waited for long.
   *
   * @param held whether a hand is still on a line.
   * @returns whether they are what was waited for.
   */
  meet(thresholds, held) {
    const older = this.sent && !same(this.sent.thresholds, thresholds) && this.now() - this.sent.at < PATIENCE;
    const awaited = Boolean(this.sent) && !older;
    if (!held && !older) this.end();
    return awaited;
  }

  /**
   * What to show: the server's run, an answer about just these thresholds, or a preview.
   *
   * @param data of the page.
   * @param exact states of the server's run.
   * @param dragged whether a line is in a hand that moves it.
   * @returns {thresholds, states, importance, answer, source}; answer null where nobody has answered yet.
   */
  shown(data, exact, dragged) {
    const thresholds = this.thresholds ?? data.thresholds;
    if (same(thresholds, data.thresholds))
      return { thresholds, states: exact, importance: data.importance, answer: data.answers.pruned, source: "exact" };
    const { answered } = this;
    const importance = answered?.importance ?? data.importance;
    if (answered && same(answered.thresholds, thresholds))
      return { thresholds, states: statesOf(answered.kept), importance, answer: answered, source: answered.source };
    // The line is where it is: who falls under it follows from the importance of the last answer, until the next one comes.
    const states = previewStates({ ...data, importance }, thresholds);
    if (answered && dragged && this.now() - answered.at < STALE)
      return { thresholds, states, importance, answer: answered, source: answered.source };
    return { thresholds, states, importance, answer: null, source: "preview" };
  }
}
