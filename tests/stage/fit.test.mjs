import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, layout, sizes } from "../../app/components/stage/fit.js";

const words = (count, width = 30) => ({
  layers: 6, widths: Array(count).fill(width), proseWidths: Array(count).fill(width), glued: Array(count).fill(false),
  pair: false, curves: true, grid: false,
});
const room = (width, height, zoom = 1) => ({ width: Math.floor(width / zoom), height: height / zoom, zoom });

test("rows are as high as lets all be in view, and no higher than is of use", () => {
  assert.equal(layout(words(20), room(1200, 458)).height, 75); // (458 - 2 - 6) / 6
  assert.equal(layout(words(20), room(1200, 2000)).height, 100);
  assert.ok(layout(words(20), room(1200, 458)).inView);
});

test("rows that would be too low for words are not, and one scrolls", () => {
  const six = layout(words(20), room(1200, 200));
  assert.equal(six.height, 46);
  assert.equal(six.bottom, 2 + 6 * 46 + 6);
  assert.ok(!six.inView);
});

test("twelve layers have lower rows with smaller words, until there is room", () => {
  const twelve = { ...words(20), layers: 12 };
  const low = layout(twelve, room(1200, 380));
  assert.deepEqual([low.height, low.arrangement.font, low.inView], [31, 12, true]);
  const laptop = layout(twelve, room(1200, 12 * 36 + 8));
  assert.ok(1.35 * laptop.arrangement.font < laptop.height / 2); // more than half of a row is for its bars
  const high = layout(twelve, room(1800, 12 * 60 + 8));
  assert.deepEqual([high.height, high.arrangement.font], [60, 19]);
});

test("a pair's captions and a long text's prose take room from the rows", () => {
  assert.equal(layout({ ...words(20), pair: true }, room(1200, 458)).height, 72); // 18 px less for six rows
  const long = layout(words(100), room(1200, 458));
  assert.ok(long.long && long.prose > 50 && long.arrangement.font === 0);
  assert.ok(long.inView && long.height < 75);
  assert.ok(layout({ ...words(100), grid: true }, room(1200, 458)).arrangement.systems.length > 1);
});

test("several systems share the room", () => {
  const two = layout(words(50), room(1200, 1000));
  assert.equal(two.arrangement.systems.length, 2);
  assert.equal(two.height, 52); // 46 and 6 more
  const tight = layout(words(50), room(1200, 600));
  assert.equal(tight.height, 47); // (600 - 8 - 18) / 12
  assert.ok(tight.inView);
});

const tried = (text, width, height) => sizes(2).map((zoom) => ({ zoom, plan: layout(text, room(width, height, zoom)) }));

test("a large view is as large as lets all be in view, with the largest words", () => {
  assert.deepEqual(sizes(1), [1]);
  assert.deepEqual([sizes(2)[0], sizes(2).at(-1), sizes(2).length], [2, 1, 11]);
  assert.equal(choose(tried(words(8), 1400, 640)).zoom, 2);
  const many = choose(tried({ ...words(8), layers: 12 }, 1400, 640));
  assert.ok(many.zoom > 1 && many.zoom < 2 && many.plan.inView);
  assert.equal(choose(tried(words(20, 45), 1800, 900)).zoom, 1.6); // below are larger words, by 3 %; above, two systems do not fit
  const small = { zoom: 1.2, plan: { inView: true, long: false, arrangement: { font: 20 } } };
  const large = { zoom: 1.6, plan: { inView: true, long: false, arrangement: { font: 12 } } };
  assert.equal(choose([large, small]), small);
});

test("words in the rows are preferred to prose, and what does not fit can be read", () => {
  const laptop = choose(tried(words(20, 40), 1200, 560));
  assert.ok(!laptop.plan.long && laptop.plan.arrangement.systems.length === 1);
  const long = choose(tried(words(100), 1200, 560));
  assert.ok(long.plan.long && long.plan.inView);
  const none = choose(tried(words(20), 1200, 200));
  assert.deepEqual([none.zoom, none.plan.inView], [1.4, false]);
});
