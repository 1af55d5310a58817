import assert from "node:assert/strict";
import { test } from "node:test";
import { GONE, LEAVES, statesOf, STAYS } from "../../app/components/stage/fate.js";
import { Trial } from "../../app/components/stage/trial.js";
import { data } from "./worked.mjs";

const exact = statesOf(data.kept);
const tried = [0.3, ...data.thresholds.slice(1)];
const answered = (thresholds, source = "browser") => ({
  thresholds, source, probabilities: [0.8, 0.2], value: null, kept: data.kept.map(() => [1, 0, 0, 0, 0]), importance: data.importance,
});

/** A trial, with a clock that the test moves. */
function trial() {
  const clock = { ms: 1000 };
  return [new Trial(() => clock.ms), clock];
}

test("where nothing is tried the server's run is shown, also where a line is back at its place", () => {
  const [one] = trial();
  for (const thresholds of [null, [...data.thresholds]]) {
    one.thresholds = thresholds;
    const { states, source, answer } = one.shown(data, exact, false);
    assert.deepEqual([states, source, answer], [exact, "exact", data.answers.pruned]);
  }
});

test("until somebody answers there is a preview without an answer", () => {
  const [one] = trial();
  one.thresholds = tried;
  const { states, source, answer } = one.shown(data, exact, true);
  assert.deepEqual([source, answer], ["preview", null]);
  assert.ok(states[0].slice(1).every((state) => state === LEAVES) && states[0][0] === STAYS); // all get less than 30 % but [CLS]
});

test("an answer about these thresholds is shown; one about others for a moment, and only in a hand that moves", () => {
  const [one, clock] = trial();
  one.thresholds = tried;
  one.answer(answered(tried));
  assert.equal(one.shown(data, exact, false).source, "browser");
  assert.ok(one.shown(data, exact, false).states[1].slice(1).every((state) => state === GONE));
  one.thresholds = [0.31, ...tried.slice(1)];
  clock.ms += 200;
  assert.equal(one.shown(data, exact, true).source, "browser");
  assert.equal(one.shown(data, exact, false).source, "preview");
  clock.ms += 100;
  assert.equal(one.shown(data, exact, true).source, "preview");
});

test("a trial ends with the result that it waits for, not with an older one, and not in a hand", () => {
  const [one, clock] = trial();
  one.send(tried);
  assert.equal(one.meet(data.thresholds, false), false); // an older run, which was under way
  assert.equal(one.thresholds, tried);
  assert.equal(one.meet(tried, true), true);
  assert.equal(one.thresholds, tried);
  assert.equal(one.meet(tried, false), true);
  assert.deepEqual([one.thresholds, one.sent, one.answered], [null, null, null]);
  one.send(tried);
  clock.ms += 7000; // the page never answered: what it has is shown again
  one.meet(data.thresholds, false);
  assert.equal(one.thresholds, null);
});
