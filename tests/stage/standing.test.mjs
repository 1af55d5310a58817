import assert from "node:assert/strict";
import test from "node:test";

import { standing } from "../../app/components/standing.js";

/** A place, and what happens there: Streamlit's side of it. */
function place() {
  const root = {}, told = [];
  let made = 0;
  const call = () => {
    const [thing, end] = standing(root, (at) => {
      assert.equal(at, root);
      const name = (made += 1);
      return { name, stop: () => told.push(`stopped ${name}`) };
    });
    told.push(`called ${thing.name}`);
    return end;
  };
  return { call, told };
}

test("a place keeps what stands there until the last call ends", () => {
  const { call, told } = place();
  call();
  const end = call();
  assert.deepEqual(told, ["called 1", "called 1"]);
  end();
  assert.deepEqual(told.slice(2), ["stopped 1"]);
});

test("a call that was overtaken while the script was loading ends nothing", () => {
  const { call, told } = place();
  const [first, second, third] = [call(), call(), call()];
  first();
  second();
  assert.deepEqual(told, ["called 1", "called 1", "called 1"]);
  third();
  assert.equal(told.at(-1), "stopped 1");
});

test("after its end a place begins anew", () => {
  const { call, told } = place();
  const first = call();
  first();
  const second = call();
  first(); // once more
  assert.deepEqual(told, ["called 1", "stopped 1", "called 2"]);
  second();
  assert.equal(told.at(-1), "stopped 2");
});
