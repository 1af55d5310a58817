import assert from "node:assert/strict";
import { test } from "node:test";
import { acting, scale, unpack } from "../../app/live/outputs.js";

test("beyond the reference length a threshold is a part of the average", () => {
  assert.deepEqual(acting([0.1, 0.2], 50, 25), [0.05, 0.1]);
  assert.deepEqual(acting([0.1, 0.2], 25, 25), [0.1, 0.2]);
  assert.deepEqual(acting([0.1, 0.2], 10, 25), [0.1, 0.2]);
  assert.deepEqual(acting([0.1], 500, null), [0.1]);
  assert.equal(scale(100, 25), 0.25);
});

test("outputs are put back on the tokens of the text", () => {
  // Five tokens: layer 1 keeps 0, 2 and 4; layer 2, which sees these, keeps 0 and 4.
  const found = unpack([0, Math.log(3)], [3n, 2n], [0n, 2n, 4n, 0n, 4n], [0.4, 0.1, 0.2, 0.1, 0.2, 0.5, 0.1, 0.4], 5);
  assert.deepEqual(found.kept, [
    [true, false, true, false, true],
    [true, false, false, false, true],
  ]);
  assert.deepEqual(found.importance, [
    [0.4, 0.1, 0.2, 0.1, 0.2],
    [0.5, null, 0.1, null, 0.4],
  ]);
  assert.ok(Math.abs(found.probabilities[0] - 0.25) < 1e-12 && Math.abs(found.probabilities[1] - 0.75) < 1e-12);
  assert.equal(found.value, null);
});

test("a regression has a value and no probabilities, and large logits do not overflow", () => {
  const found = unpack([3.5], [1n], [0n], [1], 1);
  assert.equal(found.value, 3.5);
  assert.equal(found.probabilities, null);
  assert.deepEqual(unpack([2000, 0], [1n], [0n], [1], 1).probabilities, [1, 0]);
});
