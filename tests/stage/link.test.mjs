import assert from "node:assert/strict";
import { test } from "node:test";
import { moved } from "../../app/components/stage/fate.js";
import { Link } from "../../app/components/stage/link.js";

/** Linked moves as the stage makes them: each begins where the last one ended. */
function moves(start, steps, link = new Link()) {
  return steps.reduce((now, [layer, value]) => {
    const base = link.base(now);
    const next = moved(now, layer, value, "linked", base);
    link.keep(base, layer, next);
    return next;
  }, start);
}

test("the way back from 100 %, where all lines end, leads where one came from", () => {
  assert.deepEqual(moves([0.01, 0.02, 0.04], [[0, 1]]), [1, 1, 1]);
  assert.deepEqual(moves([0.01, 0.02, 0.04], [[0, 1], [0, 0.02]]), [0.02, 0.04, 0.08]);
  assert.deepEqual(moves([0.01, 0.02, 0.04], [[0, 0.5], [2, 0.5]]), [0.125, 0.25, 0.5]); // by another handle, too
});

test("the way back from 0, too", () => {
  assert.deepEqual(moves([0.01, 0.02, 0.04], [[1, 0]]), [0, 0, 0]);
  assert.deepEqual(moves([0.01, 0.02, 0.04], [[1, 0], [2, 0.02]]), [0.005, 0.01, 0.02]);
});

test("a line at 0 has no proportion to the others: it is moved alone, and has one from then on", () => {
  assert.deepEqual(moves([0, 0.02], [[1, 0.04]]), [0, 0.04]);
  assert.deepEqual(moves([0, 0.02], [[1, 0.04], [0, 0.01]]), [0.01, 0.04]);
  assert.deepEqual(moves([0, 0.02], [[0, 0.01], [1, 0.04]]), [0.02, 0.04]);
});

test("proportions hold for what linked moves have led to, and for nothing else", () => {
  const link = new Link();
  moves([0.01, 0.02], [[0, 1]], link);
  assert.deepEqual(link.base([1, 1]), [0.01, 0.02]);
  assert.deepEqual(link.base([1, 0.5]), [1, 0.5]); // somebody moved one line alone
  assert.deepEqual(link.base([1, 1, 1]), [1, 1, 1]); // another model
});
