import assert from "node:assert/strict";
import { test } from "node:test";
import { Latest } from "../../app/live/latest.js";

/** A run that ends when told to. */
function byHand() {
  const started = [];
  const run = (input) => new Promise((end) => started.push({ input, end }));
  return { started, latest: new Latest(run) };
}

const soon = () => new Promise((done) => setImmediate(done));

test("one run at a time, the latest wanted; what was overtaken is null", async () => {
  const { started, latest } = byHand();
  const [a, b, c] = [latest.ask("a"), latest.ask("b"), latest.ask("c")];
  assert.equal(await b, null);
  assert.deepEqual(started.map(({ input }) => input), ["a"]);
  started[0].end("A");
  assert.equal(await a, "A"); // it was under way: it is true for what it was asked
  await soon();
  assert.deepEqual(started.map(({ input }) => input), ["a", "c"]);
  started[1].end("C");
  assert.equal(await c, "C");
});

test("at most one run however many are asked for", async () => {
  let now = 0, most = 0;
  const latest = new Latest(async (input) => {
    most = Math.max(most, ++now);
    await soon();
    now--;
    return input;
  });
  const found = await Promise.all(Array.from({ length: 50 }, (_, i) => latest.ask(i)));
  assert.equal(most, 1);
  assert.equal(found[49], 49);
  assert.equal(found.filter((one) => one === null).length, 48);
});

test("what waits can be dropped, and rest comes when nothing runs", async () => {
  const { started, latest } = byHand();
  const [a, b] = [latest.ask("a"), latest.ask("b")];
  let rested = false;
  const rest = latest.rest().then(() => (rested = true));
  latest.drop();
  assert.equal(await b, null);
  assert.equal(rested, false);
  started[0].end("A");
  assert.equal(await a, "A");
  await rest;
  await latest.rest(); // nothing runs: at once
});
