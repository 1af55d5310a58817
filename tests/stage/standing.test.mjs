import assert from "node:assert/strict";
import test from "node:test";

import { standing } from "../../app/components/standing.js";

/** A place, and what happens there: Streamlit's side of it. */
function place() {
  const root = {}, told = [];
  let made = 0;
  const call = (data) => {
    const make = (at) => {
      assert.equal(at, root);
      const name = (made += 1);
      return { name, stop: () => told.push(`stopped ${name}`) };
    };
    return standing(root, make, (thing) => told.push(`${thing.name} shows ${data}`));
  };
  return { root, call, told };
}

const task = () => new Promise((resolve) => setTimeout(resolve));

test("a place keeps what stands there until the last call ends", async () => {
  const { call, told } = place();
  call("a");
  await task();
  const end = call("b");
  await task();
  assert.deepEqual(told, ["1 shows a", "1 shows b"]);
  end();
  assert.equal(told.at(-1), "stopped 1");
});

test("a call that was overtaken while the script was loading ends nothing", async () => {
  const { call, told } = place();
  const [first, second, third] = [call("a"), call("b"), call("c")];
  first();
  second();
  await task();
  assert.deepEqual(told, ["1 shows a", "1 shows b", "1 shows c"]);
  third();
  assert.equal(told.at(-1), "stopped 1");
});

test("nor does one that begins after the call that had overtaken it: what it showed is taken back", async () => {
  const { call, told } = place();
  const live = call("new");
  const overtaken = [call("old"), call("older")];
  for (const end of overtaken) end();
  await task();
  assert.equal(told.at(-1), "1 shows new");
  assert.ok(!told.includes("stopped 1"));
  live();
  assert.equal(told.at(-1), "stopped 1");
});

test("each end may come before the next call begins", async () => {
  const { call, told } = place();
  const live = call("new");
  call("old")();
  call("older")();
  await task();
  assert.deepEqual(told, ["1 shows new", "1 shows old", "1 shows new", "1 shows older", "1 shows new"]);
  live();
  assert.equal(told.at(-1), "stopped 1");
});

test("a component that goes at once goes, though it was called before", async () => {
  const { root, call, told } = place();
  call("a");
  await task();
  const end = call("b");
  root.isConnected = false;
  end();
  assert.equal(told.at(-1), "stopped 1");
});

test("after its end a place begins anew", () => {
  const { call, told } = place();
  const first = call("a");
  first();
  const second = call("b");
  first(); // once more
  assert.deepEqual(told, ["1 shows a", "stopped 1", "2 shows b"]);
  second();
  assert.equal(told.at(-1), "stopped 2");
});
