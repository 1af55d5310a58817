import assert from "node:assert/strict";
import { test } from "node:test";
import { acting, collapsesAfter, counts, moved, namedSettings, previewStates, statesOf, stepped } from "../../app/components/stage/fate.js";
import { data } from "./worked.mjs";

const EXACT = [[0, 0, 1, 0, 0], [0, 0, 2, 0, 1], [0, 0, 2, 0, 2]];

test("the preview repeats the decision and follows the threshold", () => {
  assert.deepEqual(statesOf(data.kept), EXACT);
  assert.deepEqual(previewStates(data, [0.1, 0.2, 0]), EXACT);
  // "a" would go in layer 1, too
  assert.deepEqual(previewStates(data, [0.22, 0.2, 0]), [[0, 1, 1, 0, 1], [0, 2, 2, 0, 2], [0, 2, 2, 0, 2]]);
  // "very" goes on: its importance in layer 2 is known from the dense run
  assert.deepEqual(previewStates(data, [0, 0.2, 0]), [[0, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 2, 0, 2]]);
});

test("the token that the classifier reads stays under any threshold", () => {
  assert.deepEqual(previewStates(data, [1, 1, 1]).map((row) => row[0]), [0, 0, 0]);
});

test("beyond the reference length a threshold acts as less", () => {
  const long = { ...data, factor: 0.5 };
  assert.equal(acting(long, 0.2), 0.1);
  assert.deepEqual(previewStates(long, [0.2, 0.4, 0]), EXACT);
});

test("who enters and who is left", () => {
  assert.deepEqual(EXACT.map(counts), [[5, 4], [4, 3], [3, 3]]);
  assert.equal(collapsesAfter(EXACT), 0);
  assert.equal(collapsesAfter([[0, 1, 1], [0, 2, 2], [0, 2, 2]]), 1);
  assert.equal(collapsesAfter([[0, 0, 0], [0, 1, 1], [0, 2, 2]]), 2);
  assert.equal(collapsesAfter([[0, 0, 0], [0, 0, 0], [0, 1, 1]]), 0); // after the last layer nothing is read anyway
});

test("keys follow a grid, and linked thresholds keep their proportions", () => {
  const steps = [0, 0.01, 0.02, 0.05, 1];
  assert.deepEqual([1, -1, 5, -5].map((by) => stepped(0.02, steps, by)), [0.05, 0.01, 1, 0]);
  assert.deepEqual([1, -1].map((by) => stepped(0.03, steps, by)), [0.05, 0.02]);
  assert.deepEqual(moved([0.01, 0.02, 0], 0, 0.02, "linked"), [0.02, 0.04, 0]);
  assert.deepEqual(moved([0.01, 0.02, 0], 1, 0.5, "same"), [0.5, 0.5, 0.5]);
  assert.deepEqual(moved([0.01, 0.02, 0], 1, 0.5, "one"), [0.01, 0.5, 0]);
});

test("what is learned is always among the settings that have a name, and once", () => {
  const [low, high] = [{ name: "Careful", thresholds: [0.1], about: "" }, { name: "Fast", thresholds: [0.4], about: "" }];
  const names = (given) => namedSettings(given).map(({ name }) => name);
  assert.deepEqual(names({ named: [], learned: [0.2], start: [0.2] }), ["Learned"]);
  assert.deepEqual(names({ named: [], learned: null, start: [0.2] }), ["Start values"]);
  assert.deepEqual(names({ named: [low, high], learned: [0.2], start: [0.2] }), ["Learned", "Careful", "Fast"]);
  const learned = { name: "Learned = careful", thresholds: [0.2], about: "" };
  assert.deepEqual(names({ named: [learned, high], learned: [0.2], start: [0.2] }), ["Learned = careful", "Fast"]);
});
