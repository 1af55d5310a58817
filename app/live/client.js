// Who answers while a threshold is dragged: the model in this browser, else the server, else nobody. README.md has
// the interface. Nothing is fetched before the page stands still, and nothing large where the browser asks to save data.

import { steps, walk } from "./curve.js";
import { Known } from "./known.js";
import { Latest } from "./latest.js";
import { acting, scale } from "./outputs.js";
import { LOST, Remote } from "./remote.js";

const PATIENCE = 5000; // ms for an answer of the server
const WARM_UP = 2; // rounds of a measurement that do not count
const ROUNDS = 21; // that do, or fewer:
const LONGEST = 4000; // ms after which no round begins
const BUSY = 503;
const ON_SERVER = "The server answers while you drag.";
const NOBODY = "No answer while you drag: the lab cannot be reached. The last exact result stays.";

/** Open what the page offers for a text: {client, model, text, pair}. */
export function open(offer, { changed = () => {} } = {}) {
  return new Live(offer, changed);
}

class Live {
  constructor(offer, changed) {
    this.changed = changed;
    this.base = new URL("../../", import.meta.url); // live/, beside code/<version>/client.js
    this.state = { where: "server", loading: 0, why: ON_SERVER }; // until it is known whether the browser can
    this.frames = new Latest((asked) => this.reply(asked));
    this.curves = Promise.resolve();
    this.known = new Known();
    this.read(offer);
  }

  /** Take another text or model. */
  read(offer) {
    this.frames.drop();
    this.offer = offer;
    this.facts = this.facts?.model === offer.model ? this.facts : null;
    this.ready = false; // whether the browser has model and text
    this.wanted = null;
    this.known.clear();
    this.prepare(offer);
  }

  close() {
    this.offer = null;
    this.frames.drop();
    this.remote?.stop();
    this.remote = null;
  }

  /** What the model says under thresholds; null if another call was faster, or nobody can say. */
  answer(thresholds) {
    return this.frames.ask({ offer: this.offer, thresholds });
  }

  /** The answer against one layer's threshold, in this browser only. */
  curve(layer, thresholds) {
    const asked = { offer: this.offer, thresholds: JSON.stringify(thresholds) };
    this.wanted = asked.thresholds;
    const found = this.curves.then(() => this.trace(asked, layer, thresholds)).catch(() => null);
    this.curves = found;
    return found;
  }

  /** Time the text in this browser, dense and under thresholds; three times as often if `longer`. */
  async time(thresholds, longer = false) {
    if (!this.ready) return null;
    const { offer } = this;
    const dense = thresholds.map(() => 0);
    const rounds = [];
    const times = longer ? 3 : 1;
    const end = performance.now() + times * LONGEST;
    for (let round = -WARM_UP; round < times * ROUNDS && (round < 3 || performance.now() < end); round++) {
      const took = new Map();
      for (const each of round % 2 ? [dense, thresholds] : [thresholds, dense]) {
        await this.frames.rest(); // a drag goes first
        const found = this.ready && offer === this.offer && (await this.run(each));
        if (!found) return null;
        took.set(each, found.milliseconds);
      }
      if (round >= 0) rounds.push([took.get(dense), took.get(thresholds)]);
    }
    return { dense: median(rounds.map(([dense]) => dense)), pruned: median(rounds.map(([, pruned]) => pruned)), rounds };
  }

  // How an answer is had.

  async reply({ offer, thresholds }) {
    if (offer === null || offer !== this.offer) return null;
    if (this.ready) {
      const found = await this.inBrowser(thresholds);
      if (found && offer === this.offer) return { thresholds, ...found, source: "browser" };
    }
    const found = await this.onServer(offer, thresholds);
    return found && offer === this.offer ? { thresholds, ...found, source: "server" } : null;
  }

  /** What the model says in this browser, which runs it only where that is not known. */
  async inBrowser(thresholds) {
    const known = this.known.find(this.acting(thresholds));
    if (known) return { ...known, milliseconds: 0 };
    const { offer } = this;
    const found = await this.run(thresholds);
    if (found && offer === this.offer) this.known.keep(this.acting(thresholds), found);
    return found;
  }

  run(thresholds) {
    return this.tell("run", { thresholds: this.acting(thresholds) });
  }

  acting(thresholds) {
    return acting(thresholds, this.tokens, this.facts.reference_length);
  }

  async onServer(offer, thresholds) {
    const began = performance.now();
    try {
      const response = await this.post("answer", { ...offer, thresholds });
      const found = await response.json();
      if (this.state.where === "nowhere") {
        this.say("server", null, ON_SERVER);
        if (!this.ready && !this.lost) this.prepare(offer); // the network is back
      }
      return { ...found, milliseconds: performance.now() - began };
    } catch (error) {
      if (error.status !== BUSY) this.miss(error); // if busy, the next frame asks again
      return null;
    }
  }

  /** The lab gave no answer, or none that helps. */
  miss(error) {
    if (error.status) this.say("server", null, `${error.message}: the server answers while you drag.`);
    else this.say("nowhere", null, NOBODY);
  }

  async trace(asked, layer, thresholds) {
    const current = () => this.ready && this.offer === asked.offer && this.wanted === asked.thresholds;
    const ask = async (values) => {
      await this.frames.rest(); // a drag goes first
      return current() ? this.inBrowser(values) : null;
    };
    const now = await ask(thresholds);
    if (!now) return null;
    const factor = scale(this.tokens, this.facts.reference_length);
    const shares = now.importance[layer - 1].filter((share) => share !== null);
    const reachable = steps(shares).filter(({ from }) => from < factor); // by a threshold of at most 1
    const points = await walk(reachable, async (at) => {
      const found = await ask(thresholds.with(layer - 1, Math.min(at / factor, 1)));
      return found && { label: label(found), ...summary(found, layer) };
    });
    return points?.map(({ label: _, from, ...rest }) => ({ from: from / factor, ...rest })) ?? null;
  }

  // How the browser gets ready.

  async prepare(offer) {
    const current = () => offer === this.offer;
    try {
      if (!this.remote) await standingStill();
      if (!current()) return;
      const obstacle = cannot();
      if (obstacle) return this.say("server", null, `${obstacle}: the server answers while you drag.`);
      this.facts ??= { ...(await this.get(`model?name=${encodeURIComponent(offer.model)}`)), model: offer.model };
      if (!current()) return;
      if (!this.facts.files) return this.say("server", null, `The server answers while you drag: ${this.facts.why}.`);
      await this.engage();
      if (!current()) return;
      const { embedded, tokens } = await this.embedded(offer);
      if (!current()) return;
      await this.remote.ask("text", { embedded, tokens, layers: this.facts.layers }, [embedded]);
      if (!current()) return;
      this.tokens = tokens;
      this.ready = true;
      this.say("browser", null, "The model itself runs in this browser while you drag; on release the server answers.");
    } catch (error) {
      if (!current()) return;
      if (error instanceof Unanswered) this.miss(error);
      else this.dismiss(`The model could not start in this browser (${reason(error)})`);
    }
  }

  /** The text as the model's first layer gets it, from the lab. */
  async embedded(offer) {
    const response = await this.post("read", offer);
    return { embedded: await response.arrayBuffer(), tokens: Number(response.headers.get("X-Tokens")) };
  }

  /** A worker with the model of `facts`; the one that is there if it has that, or is about to. */
  engage() {
    if (this.lost) throw new Error("it stopped before");
    if (this.loading?.model !== this.facts.model) this.loading = { model: this.facts.model, done: this.load(this.facts) };
    return this.loading.done;
  }

  async load({ files, bytes }) {
    const named = Object.fromEntries(Object.entries(files).map(([part, name]) => [part, new URL(`file/${name}`, this.base).href]));
    const remote = (this.remote ??= new Remote(new URL("worker.js", import.meta.url)));
    remote.progress = (loading) => this.remote === remote && this.say("server", loading, this.state.why);
    await remote.ask("model", { files: named, bytes });
  }

  /** Ask the worker; null when it is lost, after which the server answers. */
  async tell(ask, given) {
    try {
      return await this.remote.ask(ask, given);
    } catch (error) {
      this.dismiss(`The model in this browser stopped (${reason(error)})`);
      return null;
    }
  }

  dismiss(why) {
    this.ready = false;
    this.lost = true; // once is enough: what has stopped, would stop again
    this.remote?.stop();
    this.remote = null;
    if (this.offer) this.say("server", null, `${why}: the server answers while you drag.`);
  }

  say(where, loading, why) {
    this.state = { where, loading, why };
    this.changed(this.state);
  }

  async get(path) {
    return (await answered(fetch(new URL(path, this.base)))).json();
  }

  post(path, body) {
    const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return answered(fetch(new URL(path, this.base), { ...asked, signal: AbortSignal.timeout(PATIENCE) }));
  }
}

class Unanswered extends Error {
  /** @param status what the lab answered; 0 if it could not be reached */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Unanswered("The lab could not be reached");
  }
  if (response.ok) return response;
  throw new Unanswered(`The lab answered ${response.status}`, response.status);
}

/** Why the model should not run in this browser; an empty text if it may. */
function cannot() {
  if (navigator.connection?.saveData || matchMedia("(prefers-reduced-data: reduce)").matches)
    return "This browser asks to save data";
  if (typeof WebAssembly !== "object" || typeof Worker !== "function") return "This browser runs no WebAssembly";
  if (navigator.deviceMemory < 2) return "This device has little memory";
  return "";
}

/** Until the browser has nothing better to do, and Streamlit runs no script. */
async function standingStill() {
  const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done, { timeout: 2000 }));
  const running = () => document.querySelector("[data-testid=stApp][data-test-script-state=running]");
  do {
    await idle();
    await new Promise((done) => setTimeout(done, 250));
  } while (running());
}

function label({ probabilities }) {
  return probabilities ? probabilities.indexOf(Math.max(...probabilities)) : 0;
}

function summary({ probabilities, value, kept }, layer) {
  return { probabilities, value, left: kept[layer - 1].filter(Boolean).length };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function reason(error) {
  return error === LOST ? "its worker does not answer" : String(error?.message ?? error).split("\n")[0];
}
