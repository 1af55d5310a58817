// What is asked when all stands still: times of this browser, where the visitor wants these, and the answer against each line.

import { drawCurve } from "./curve.js";

const IDLE = 700; // ms without a change

export class Idle {
  constructor(stage) {
    this.stage = stage;
    this.timed = null; // the data whose times are being measured
  }

  /** Something has changed: wait anew. */
  wait() {
    clearTimeout(this.timer);
    if (this.stage.data.live) this.timer = setTimeout(() => this.times().then(() => this.curves()), IDLE);
  }

  stop() {
    clearTimeout(this.timer);
  }

  async times() {
    const { data, hand, answers } = this.stage;
    if (!data.timing || hand.busy || this.timed === data) return;
    this.timed = data;
    const times = await answers.time(data.thresholds, data.timing === "longer");
    if (this.timed === data) this.timed = null; // without times it is tried again when the browser has the model
    if (times && this.stage.data === data) this.stage.send("timed", times.rounds);
  }

  async curves() {
    const { data, hand, answers, curves } = this.stage;
    for (let layer = 0; layer < data.kept.length; layer += 1) {
      if (hand.busy || this.stage.data !== data) return;
      const points = await answers.curve(layer + 1, data.thresholds);
      if (this.stage.data !== data) return;
      curves[layer] = points;
      drawCurve(this.stage.rows, layer, points);
    }
  }
}
