// One run at a time, the latest wanted: what a drag asks for while a run goes on waits, and only the newest of it.

export class Latest {
  /** @param run an async function of one input; it never rejects */
  constructor(run) {
    this.run = run;
    this.running = false;
    this.waiting = null; // {input, resolve}
    this.atRest = []; // who waits until nothing runs
  }

  /** Ask for a run: its result, or null when another one was asked for before this one could begin. */
  ask(input) {
    return new Promise((resolve) => {
      this.waiting?.resolve(null);
      this.waiting = { input, resolve };
      if (!this.running) this.work();
    });
  }

  /** Forget what waits. */
  drop() {
    this.waiting?.resolve(null);
    this.waiting = null;
  }

  /** Wait until nothing runs and nothing waits. */
  async rest() {
    while (this.running) await new Promise((resolve) => this.atRest.push(resolve));
  }

  async work() {
    this.running = true;
    while (this.waiting) {
      const { input, resolve } = this.waiting;
      this.waiting = null;
      resolve(await this.run(input));
    }
    this.running = false;
    for (const resolve of this.atRest.splice(0)) resolve();
  }
}
