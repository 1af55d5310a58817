// Who answers, with a lab and a worker that are made up here; tests/browser/test_live.py has the real ones.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { open } from "../../app/live/client.js";

const OFFER = { client: "client.js", model: "sst2", text: "a film", pair: null };
const FACTS = { layers: 2, classes: ["no", "yes"], reference_length: 2, bytes: 10, files: { module: "m.mjs", weights: "w.f16" } };
const SERVERS = { probabilities: [0.9, 0.1], value: null, kept: [], importance: [] };
let lab; // what the made-up lab answers: path -> a function of the body
let calls; // what it was asked
let workers;

class FakeWorker {
  constructor(address) {
    this.address = String(address);
    this.runs = [];
    workers.push(this);
  }

  postMessage({ id, ask, ...given }) {
    if (this.dead) return;
    if (this.broken === ask) return queueMicrotask(() => this.onmessage({ data: { id, failed: "no memory\nat line 1" } }));
    if (ask === "run") this.runs.push(given.thresholds);
    const shares = [[0.7, 0.1, 0.2, 0.05], [0.8, 0.1, 0.1, null]];
    const left = given.thresholds && shares[0].map((share, at) => at === 0 || share >= given.thresholds[0]);
    const stay = left?.filter(Boolean).length;
    const done = {
      run: { probabilities: stay > 2 ? [0.2, 0.8] : [0.6, 0.4], value: null, importance: shares, kept: [left, left], milliseconds: given.thresholds?.[0] ? 6 : 11 },
    }[ask];
    const reply = () => this.onmessage({ data: { id, done: done ?? null } });
    if (this.held) this.held.push(reply);
    else queueMicrotask(reply);
  }

  terminate() {
    this.dead = true;
  }
}

beforeEach(() => {
  calls = [];
  workers = [];
  lab = {
    model: () => Response.json(FACTS),
    read: () => new Response(new Float32Array(4).buffer, { headers: { "X-Tokens": "4" } }),
    answer: () => Response.json(SERVERS),
  };
  globalThis.fetch = async (url, { body } = {}) => {
    const name = new URL(url).pathname.split("/").at(-1);
    calls.push(name);
    return lab[name](body && JSON.parse(body));
  };
  globalThis.Worker = FakeWorker;
  globalThis.window = {};
  globalThis.document = { querySelector: () => null };
  globalThis.matchMedia = () => ({ matches: false });
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
});

let live;
afterEach(() => live.close());

/** Open, and wait until it has settled where answers come from. */
async function opened(offer = OFFER) {
  const states = [];
  live = open(offer, { changed: (state) => states.push(state) });
  while (!states.some(({ loading }) => loading === null)) await new Promise((done) => setTimeout(done, 10));
  return states;
}

test("the server answers until the browser can; then the browser, under the thresholds that act", async () => {
  live = open(OFFER);
  assert.deepEqual(calls, []); // nothing is fetched before the page stands still
  const early = await live.answer([0.1, 0.2]);
  assert.equal(early.source, "server");
  assert.deepEqual(early.probabilities, [0.9, 0.1]);
  while (live.state.where !== "browser") await new Promise((done) => setTimeout(done, 10));
  const asked = calls.length;
  const found = await live.answer([0.1, 0.2]);
  assert.equal(found.source, "browser");
  assert.deepEqual(found.thresholds, [0.1, 0.2]);
  assert.deepEqual(workers[0].runs.at(-1), [0.05, 0.1]); // four tokens, reference length two
  assert.equal(calls.length, asked); // the server was not asked
});

for (const [why, arrange] of [
  ["asks to save data", () => Object.defineProperty(globalThis, "navigator", { value: { connection: { saveData: true } }, configurable: true })],
  ["asks to save data", () => (globalThis.matchMedia = () => ({ matches: true }))],
  ["little memory", () => Object.defineProperty(globalThis, "navigator", { value: { deviceMemory: 1 }, configurable: true })],
  ["runs no WebAssembly", () => (globalThis.Worker = undefined)],
  ["set up without npm", () => (lab.model = () => Response.json({ ...FACTS, files: null, why: "the lab was set up without npm" }))],
]) {
  test(`the server answers where the browser should not: ${why}`, async () => {
    arrange();
    await opened();
    assert.equal(live.state.where, "server");
    assert.match(live.state.why, new RegExp(why));
    assert.equal(workers.length, 0);
    assert.ok(!calls.includes("read"));
    assert.equal((await live.answer([0, 0])).source, "server");
    assert.equal(await live.curve(1, [0, 0]), null);
    assert.equal(await live.time([0, 0]), null);
  });
}

test("a graph that does not load: the server, and one line", async () => {
  globalThis.Worker = class extends FakeWorker { broken = "model"; };
  await opened();
  assert.equal(live.state.where, "server");
  assert.equal(live.state.why, "The model could not start in this browser (no memory): the server answers while you drag.");
  assert.ok(workers[0].dead);
  assert.equal((await live.answer([0, 0])).source, "server");
});

test("a worker that fails in a drag: the same frame is answered by the server, and it is not asked again", async () => {
  await opened();
  workers[0].broken = "run";
  assert.equal((await live.answer([0, 0])).source, "server");
  assert.match(live.state.why, /stopped/);
  live.read({ ...OFFER, text: "another" });
  await new Promise((done) => setTimeout(done, 600));
  assert.equal(workers.length, 1);
  assert.equal(calls.filter((name) => name === "read").length, 1);
  assert.equal((await live.answer([0, 0])).source, "server");
});

test("offline after load: the browser goes on; without it nobody answers, and that is said", async () => {
  await opened();
  globalThis.fetch = async () => { throw new TypeError("Failed to fetch"); };
  assert.equal((await live.answer([0, 0])).source, "browser");
  live.read({ ...OFFER, text: "another" });
  assert.equal(await live.answer([0, 0]), null);
  assert.equal(live.state.where, "nowhere");
  assert.match(live.state.why, /cannot be reached/);
  globalThis.fetch = async () => Response.json(SERVERS);
  assert.equal((await live.answer([0, 0])).source, "server");
  assert.equal(live.state.where, "server");
});

test("a busy server gives no answer and stays where answers come from", async () => {
  lab.model = () => Response.json({ ...FACTS, files: null, why: "too large" });
  await opened();
  lab.answer = () => Response.json({ error: "others are being answered" }, { status: 503 });
  const before = live.state;
  assert.equal(await live.answer([0, 0]), null);
  assert.equal(live.state, before);
});

test("another text: what is pending is null, and the worker keeps its model", async () => {
  await opened();
  const [old] = [live.answer([0, 0])];
  live.read({ ...OFFER, text: "another" });
  assert.equal(await old, null);
  while (live.state.where !== "browser" || !live.ready) await new Promise((done) => setTimeout(done, 10));
  assert.equal(calls.filter((name) => name === "model").length, 1);
  assert.equal(calls.filter((name) => name === "read").length, 2);
  assert.equal(workers.length, 1);
});

test("a curve is a line of steps in the settings' thresholds, with what is left at each", async () => {
  await opened();
  const points = await live.curve(1, [0.9, 0]);
  assert.deepEqual(points.map(({ from, left }) => [from, left]), [[0, 4], [0.1, 3], [0.2, 2], [0.4, 1]]); // shares times two
  assert.deepEqual(points.map(({ probabilities }) => probabilities[1]), [0.8, 0.8, 0.4, 0.4]);
  assert.ok(points.every((point) => !("label" in point)));
});

test("a curve for thresholds that have moved on is null", async () => {
  await opened();
  const [old, current] = [live.curve(1, [0.1, 0]), live.curve(1, [0.2, 0])];
  assert.equal(await old, null);
  assert.ok((await current).length > 1);
});

test("a drag goes first: while a frame runs, no step of a curve or a measurement is asked for", async () => {
  await opened();
  const [worker] = workers;
  const asked = worker.runs.length;
  worker.held = [];
  const frame = live.answer([0.3, 0]);
  const others = [live.curve(1, [0.1, 0]), live.time([0.1, 0])];
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(worker.runs.length, asked + 1);
  const [reply] = worker.held;
  worker.held = null;
  reply();
  assert.equal((await frame).source, "browser");
  for (const other of others) assert.ok(await other);
});

test("times are medians of rounds in turns, after a warm-up", async () => {
  await opened();
  const asked = workers[0].runs.length;
  const { dense, pruned, rounds } = await live.time([0.1, 0]);
  assert.deepEqual([dense, pruned], [11, 6]);
  assert.ok(rounds.every(([slow, fast]) => slow === 11 && fast === 6));
  const runs = workers[0].runs.slice(asked).map(([first]) => first > 0);
  assert.equal(runs.length, 2 * (rounds.length + 2));
  assert.deepEqual(runs.slice(0, 8), [true, false, false, true, true, false, false, true]); // who is first changes
});

test("after close nothing is asked and nothing hangs", async () => {
  await opened();
  live.close();
  assert.ok(workers[0].dead);
  assert.equal(await live.answer([0, 0]), null);
  assert.equal(await live.curve(1, [0, 0]), null);
});
