import assert from "node:assert/strict";
import { test } from "node:test";
import { BEAT, Clock } from "../../app/components/stage/clock.js";

function clockOf(layers) {
  const timers = new Map();
  const shown = [];
  let number = 0;
  const set = (run, ms) => { timers.set(++number, { run, ms }); return number; };
  const clock = new Clock(layers, (step, moving) => shown.push([step, moving]), { set, clear: (timer) => timers.delete(timer) });
  const tick = () => {
    const [[timer, { run }]] = timers;
    timers.delete(timer);
    run();
  };
  return { clock, shown, tick, timers };
}

test("it plays layer by layer from the beginning, and stops at the end", () => {
  const { clock, shown, tick, timers } = clockOf(3);
  clock.toggle();
  assert.ok(clock.playing);
  for (let beat = 0; beat < 3; beat += 1) tick();
  assert.deepEqual(shown, [[0, false], [1, true], [2, true], [3, true]]);
  assert.ok(!clock.playing && timers.size === 0);
});

test("it stops where it is, and goes on from there", () => {
  const { clock, tick, timers, shown } = clockOf(3);
  clock.toggle();
  tick();
  clock.toggle();
  assert.ok(!clock.playing && timers.size === 0 && clock.step === 1);
  clock.toggle();
  tick();
  assert.deepEqual(shown.at(-1), [2, true]);
  assert.equal([...timers.values()][0].ms, BEAT);
});

test("a step by hand stops it, moves nothing, and stays within the layers", () => {
  const { clock, shown, timers } = clockOf(3);
  clock.toggle();
  clock.go(9);
  assert.deepEqual(shown.at(-1), [3, false]);
  clock.go(-1);
  assert.deepEqual(shown.at(-1), [0, false]);
  assert.equal(timers.size, 0);
});
