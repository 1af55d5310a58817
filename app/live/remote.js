// A worker that is asked one thing at a time or several, and is given up when it does not answer.

/** What a question to a worker that has gone is rejected with. */
export const LOST = new Error("the worker does not answer");

const FACTOR = 20; // a run that takes so many times as long as the longest before will not end
const AT_LEAST = 3000; // ms
const FIRST = 30_000; // ms for the first run of a text, on a slow device
const STEP = 0.02; // between two words of progress

export class Remote {
  /** @param address of the worker's module; or something that makes a worker, for tests */
  constructor(address, make = (url) => new Worker(url, { type: "module" })) {
    this.open = new Map(); // id -> {resolve, reject, timer}
    this.next = 1;
    this.slowest = 0; // ms, of the runs so far
    this.told = 0; // the share of a model that has been loaded, as last told
    this.progress = () => {};
    this.worker = make(address);
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.stop(new Error(event.message || "its script could not be loaded"));
    this.worker.onmessageerror = () => this.stop(LOST);
  }

  /** Ask; rejects with the worker's reason, or LOST. Loading a model may take any time: it depends on the network. */
  ask(ask, given, transfer = []) {
    return new Promise((resolve, reject) => {
      if (!this.worker) return reject(LOST);
      const id = this.next++;
      const began = performance.now();
      const patience = { model: Infinity, text: FIRST, run: Math.max(AT_LEAST, FACTOR * this.slowest) }[ask];
      const timer = patience < Infinity ? setTimeout(() => this.stop(LOST), patience) : null;
      this.open.set(id, { resolve, reject, timer, began, ask });
      this.worker.postMessage({ id, ask, ...given }, transfer);
    });
  }

  hear(data) {
    if (data.id === undefined) return this.come(data.loaded / data.bytes);
    const asked = this.open.get(data.id);
    if (!asked) return;
    this.open.delete(data.id);
    clearTimeout(asked.timer);
    if (asked.ask !== "model") this.slowest = Math.max(this.slowest, performance.now() - asked.began);
    if ("failed" in data) asked.reject(new Error(data.failed));
    else asked.resolve(data.done);
  }

  come(share) {
    if (share < this.told + STEP && share > this.told) return;
    this.told = share;
    this.progress(Math.min(1, share));
  }

  /** End the worker; what is open is rejected. */
  stop(why = LOST) {
    this.worker?.terminate();
    this.worker = null;
    for (const { reject, timer } of this.open.values()) {
      clearTimeout(timer);
      reject(why);
    }
    this.open.clear();
  }
}
