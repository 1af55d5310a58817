import assert from "node:assert/strict";
import { test } from "node:test";
import { steps, walk } from "../../app/live/curve.js";

test("each step drops one token more; equal shares go together; [CLS] never leaves", () => {
  const found = steps([0.9, 0.3, 0.1, 0.1, 0.2]);
  assert.deepEqual(found.map(({ from }) => from), [0, 0.1, 0.2, 0.3]);
  const left = found.map(({ at }) => [0.3, 0.1, 0.1, 0.2].filter((share) => share >= at).length);
  assert.deepEqual(left, [4, 2, 1, 0]);
  for (const { from, at } of found.slice(1)) assert.ok(at > from && at <= 1);
});

test("a text of one token has one step", () => assert.deepEqual(steps([1]), [{ from: 0, at: 0 }]));

const many = steps([1, ...Array.from({ length: 200 }, (_, i) => (i + 1) / 1000)]);

test("few steps are all walked", async () => {
  const asked = [];
  const found = await walk(many.slice(0, 7), async (at) => asked.push(at) && { label: 0 }, 7);
  assert.deepEqual(asked, many.slice(0, 7).map(({ at }) => at));
  assert.deepEqual(found.map(({ from }) => from), many.slice(0, 7).map(({ from }) => from));
});

test("of many some are walked, and a flip is found to the step", async () => {
  let runs = 0;
  const found = await walk(many, async (at) => (runs++, { label: at > 0.1234 ? 1 : 0 }), 10);
  assert.ok(runs < 20);
  const flip = found.find(({ label }) => label === 1);
  assert.equal(flip.from, many.find(({ at }) => at > 0.1234).from);
  assert.deepEqual(found.map(({ from }) => from), found.map(({ from }) => from).toSorted?.((a, b) => a - b));
  assert.equal(found.at(-1).from, 0.2);
});

test("a flip and a flip back are both found where the samples show them", async () => {
  const label = (at) => (at > 0.05 && at < 0.15 ? 1 : 0);
  const found = await walk(many, async (at) => ({ label: label(at) }), 10);
  const flips = found.filter((point, i) => i && point.label !== found[i - 1].label).map(({ from }) => from);
  assert.deepEqual(flips, [many.find(({ at }) => at > 0.05).from, many.find(({ at }) => at >= 0.15).from]);
});

test("who gives up ends the walk", async () => {
  let runs = 0;
  assert.equal(await walk(many, async () => (++runs < 3 ? { label: 0 } : null)), null);
  assert.equal(runs, 3);
});
