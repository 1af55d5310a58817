import assert from "node:assert/strict";
import { test } from "node:test";
import { expand } from "../../app/live/half.js";

test("halves become the singles that IEEE 754 says they are", () => {
  const cases = [
    [0x0000, 0], [0x3c00, 1], [0xc000, -2], [0x3555, 0.333251953125], [0x7bff, 65504],
    [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x0400, 2 ** -14], [0x8001, -(2 ** -24)],
    [0x7c00, Infinity], [0xfc00, -Infinity],
  ];
  const found = expand(Uint16Array.from(cases, ([bits]) => bits));
  assert.ok(found instanceof Float32Array);
  cases.forEach(([bits, value], at) => assert.equal(found[at], value, bits.toString(16)));
  assert.ok(Object.is(expand(Uint16Array.of(0x8000))[0], -0));
  assert.ok(Number.isNaN(expand(Uint16Array.of(0x7e00))[0]));
});

test("every half is another number, in the order of its bits", () => {
  const all = expand(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits));
  for (let bits = 1; bits < all.length; bits++) assert.ok(all[bits] > all[bits - 1]);
});
