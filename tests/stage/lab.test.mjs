import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../../app/components/stage/lab.js";

/** A lab whose time is turned by hand. */
function made() {
  const seen = { connected: true, busy: false, asked: 0, open: true };
  let next = null;
  const lab = new Lab(() => seen, { set: (run) => (next = run), clear: () => (next = null) });
  lab.ask(() => (seen.asked += 1), () => seen.open);
  const looks = (count) => {
    for (; count > 0 && next; count -= 1) {
      const run = next;
      next = null;
      run();
    }
    return next !== null;
  };
  return { lab, seen, looks };
}

test("what is answered is asked once", () => {
  const { seen, looks } = made();
  seen.open = false;
  assert.equal(looks(9), false);
  assert.equal(seen.asked, 1);
});

test("what was lost while the lab was away is asked again when it is back, and not before", () => {
  const { lab, seen, looks } = made();
  seen.connected = false;
  assert.equal(lab.away, true);
  looks(20);
  assert.equal(seen.asked, 1);
  seen.connected = true;
  looks(3);
  assert.equal(seen.asked, 2);
});

test("a lab that works is waited for", () => {
  const { seen, looks } = made();
  seen.busy = true;
  looks(20);
  assert.equal(seen.asked, 1);
});

test("what is never answered is not asked for ever", () => {
  const { seen, looks } = made();
  assert.equal(looks(100), false);
  assert.equal(seen.asked, 3);
});

test("a stage that goes asks no more", () => {
  const { lab, seen, looks } = made();
  lab.stop();
  looks(9);
  assert.equal(seen.asked, 1);
});
