// Time on the stage: the layers up to `step` are played, 0 is the sentence before the first. No page here: `show` draws.

export const BEAT = 1500; // ms a layer: words, bars, the line, who leaves

export class Clock {
  /**
   * @param layers how many there are.
   * @param show called with the step, and whether it was reached by playing (things may move then).
   * @param timers {set, clear}: of the browser, or of a test.
   */
  constructor(layers, show, timers = { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer) }) {
    this.layers = layers;
    this.show = show;
    this.timers = timers;
    this.step = layers;
    this.timer = null;
  }

  get playing() {
    return this.timer !== null;
  }

  /** Start, from the beginning if all has been played; or stop where it is. */
  toggle() {
    if (this.playing) {
      this.stop();
      return this.show(this.step, false);
    }
    if (this.step >= this.layers) this.step = 0;
    this.timer = this.timers.set(() => this.beat(), this.step === 0 ? BEAT / 2 : 0);
    this.show(this.step, false);
  }

  beat() {
    this.step += 1;
    const more = this.step < this.layers;
    this.timer = more ? this.timers.set(() => this.beat(), BEAT) : null;
    this.show(this.step, true);
  }

  go(step) {
    this.stop();
    this.step = Math.max(0, Math.min(this.layers, step));
    this.show(this.step, false);
  }

  stop() {
    if (this.timer !== null) this.timers.clear(this.timer);
    this.timer = null;
  }
}
