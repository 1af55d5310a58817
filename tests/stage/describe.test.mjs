import assert from "node:assert/strict";
import { test } from "node:test";
import { statesOf } from "../../app/components/stage/fate.js";
import { describe, describeCurve } from "../../app/components/stage/describe.js";
import { alike, data, number } from "./worked.mjs";

const said = (token, layer, changes = {}) =>
  describe({ ...data, ...changes }, statesOf(data.kept), token, layer).replaceAll("\u00a0", " ");

test("a word says why it stays or leaves", () => {
  assert.equal(said(1, 0), "“a” · token 2\nlayer 1: 20 % of all attention, 1.00× the average\nstays: at least 10 %");
  assert.equal(said(2, 0), "“very” · token 3\nlayer 1: 5.0 % of all attention, 0.25× the average\nleaves: less than 10 %");
  assert.equal(said(2, 1), "“very” · token 3\nleft in layer 1");
  assert.match(said(3, 2), /stays: nothing is pruned here$/);
  assert.match(said(0, 1), /stays: the classifier reads this token, so it never leaves$/);
});

test("a column says where its word leaves", () => {
  assert.equal(said(4, null), "“[SEP]” · token 5\nleaves in layer 2");
  assert.equal(said(3, null), "“b” · token 4\nstays to the end");
});

test("on a long text the share that acts is named, and of a pair which text", () => {
  assert.match(said(1, 0, { factor: 0.5, thresholds: [0.2, 0.4, 0] }), /stays: at least 10 %$/);
  assert.match(said(4, 0, { segments: [0, 0, 0, 1, 1] }), /token 5 · second text/);
});

const points = (...shares) => shares.map(([from, share]) => ({ from, probabilities: [1 - share, share], value: null }));

test("a curve says at which heights of the line the answer flips", () => {
  const told = (found, changes) => describeCurve({ ...data, ...changes }, 1, found).replaceAll("\u00a0", " ").split("\n");
  assert.deepEqual(told(points([0, 0.9], [0.042, 0.2], [0.1, 0.8])), [
    "layer 2: the answer for each height of its line", "the farther right, the surer “positive”", "the answer flips at 4.2 %, 10 %",
  ]);
  assert.equal(told(points([0, 0.9], [0.04, 0.2]), { factor: 0.5 })[2], "the answer flips at 2 %"); // as on the handle
  assert.equal(told(points([0, 0.9], [0.1, 0.8]))[2], "no flip is found");
  const many = points(...Array.from({ length: 7 }, (_, index) => [index / 10, index % 2 ? 0.2 : 0.9]));
  assert.equal(told(many)[2], "the answer flips 6 times");
  const answers = { dense: number(3), pruned: number(3), nothing: null };
  assert.equal(told([{ from: 0, ...number(3) }], { answers, scale: alike })[1], "the farther right, the higher");
});
