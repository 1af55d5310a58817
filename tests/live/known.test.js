import assert from "node:assert/strict";
import { test } from "node:test";
import { Known } from "../../app/live/known.js";
import { unpack } from "../../app/live/outputs.js";

const TOKENS = 7, LAYERS = 3;

/** A model of its own: shares depend on layer and on who is left, the first token always stays. */
function run(thresholds) {
  let alive = Array.from({ length: TOKENS }, (_, token) => token);
  const [left, kept, importance] = [[], [], []];
  thresholds.forEach((threshold, layer) => {
    const raw = alive.map((token) => 1 + ((token * 7 + layer * 3 + alive.length) % 11));
    const sum = raw.reduce((a, b) => a + b);
    const shares = Float32Array.from(raw, (value) => value / sum);
    importance.push(...shares);
    alive = alive.filter((token, at) => token === 0 || shares[at] >= Math.fround(threshold));
    left.push(alive.length);
    kept.push(...alive);
  });
  return unpack(Float32Array.from([alive.length, -alive.reduce((a, b) => a + b, 0)]), left, kept, importance, TOKENS);
}

test("what is known is what a run says, to the last digit, and saves most runs", () => {
  let state = 1;
  const chance = () => (state = (state * 16807) % 2147483647) / 2147483647;
  const known = new Known();
  let found = 0;
  for (let step = 0; step < 3000; step += 1) {
    const thresholds = Array.from({ length: LAYERS }, () => (chance() < 0.3 ? 0 : chance() ** 2 / 2));
    const answer = known.find(thresholds);
    if (answer) assert.deepEqual(answer, run(thresholds));
    else known.keep(thresholds, run(thresholds));
    found += Boolean(answer);
  }
  assert.ok(found > 1500 && found < 3000, `${found}`);
});

test("a threshold that equals a share keeps its token; the next number above does not", () => {
  const known = new Known();
  const first = run([0, 0, 0]);
  known.keep([0, 0, 0], first);
  const least = Math.min(...first.importance[0].slice(1));
  assert.equal(known.find([Math.min(least, first.importance[0][0]), 0, 0]), first);
  assert.equal(known.find([least * 1.000001, 0, 0]), null);
});

test("a token that never leaves binds nothing once it lies under the line", () => {
  const known = new Known();
  const answer = { kept: [[true, true]], importance: [[0.1, 0.9]] };
  known.keep([0.5], answer);
  assert.equal(known.find([0.7]), answer);
  assert.equal(known.find([0.95]), null);
});

test("the oldest goes first, and another text clears all", () => {
  const known = new Known(1);
  const [one, other] = [{ kept: [[true]], importance: [[0.2]] }, { kept: [[false]], importance: [[0.2]] }];
  known.keep([0.1], one);
  known.keep([0.3], other);
  assert.equal(known.find([0.1]), null);
  assert.equal(known.find([0.4]), other);
  known.clear();
  assert.equal(known.find([0.4]), null);
});
