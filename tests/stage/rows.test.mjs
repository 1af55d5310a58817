import assert from "node:assert/strict";
import { test } from "node:test";
import { statesOf } from "../../app/components/stage/fate.js";
import { describe } from "../../app/components/stage/rows.js";
import { data } from "./worked.mjs";

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
