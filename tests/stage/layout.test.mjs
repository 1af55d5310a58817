import assert from "node:assert/strict";
import { test } from "node:test";
import { bars, inside as insideRow, nearest, prose, systems, wrap } from "../../app/components/stage/layout.js";
import { LogScale, lowestShare, percent, probability, thresholdWords } from "../../app/components/stage/scale.js";

const inside = (found, room) => {
  for (const { columns } of found.systems) {
    columns.slice(1).forEach((column, index) => assert.ok(column.x >= columns[index].x + columns[index].width));
    assert.ok(columns.at(-1).x + columns.at(-1).width <= room + 0.01);
  }
};

test("words that fit stand in one system, as large as fits", () => {
  const found = systems([40, 30, 60], 400);
  assert.equal(found.font, 16);
  assert.equal(found.systems.length, 1);
  inside(found, 400);
  const tight = systems(Array(20).fill(40), 780); // 20 x (40 + 6) is more at 16 px, less at 13
  assert.equal(tight.systems.length, 1);
  assert.ok(tight.font < 16 && tight.font >= 12);
  inside(tight, 780);
});

test("more words wrap into systems of about the same length, each token once", () => {
  const found = systems(Array(60).fill(45), 800);
  assert.ok(found.systems.length > 1);
  inside(found, 800);
  const lengths = found.systems.map(({ columns }) => columns.length);
  assert.equal(lengths.reduce((sum, length) => sum + length), 60);
  assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 3, lengths.join());
  assert.deepEqual(found.systems.map(({ first }) => first), lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0)));
  assert.equal(systems(Array(60).fill(45), 800, 1), null);
});

test("a word that is wider than the stage is cut to it, and nothing hangs", () => {
  const found = systems([2000, 10], 300);
  inside(found, 300);
  assert.deepEqual(wrap([500, 500], 300), [1, 1]);
});

test("bars without words share the room equally", () => {
  const [{ columns }] = bars(512, 900).systems;
  assert.equal(columns.length, 512);
  assert.ok(Math.abs(columns[511].x + columns[511].width - 900) < 2);
  assert.ok(columns.every(({ width }) => width > 1));
});

test("prose wraps between words, with a space only where there is one in the text", () => {
  const places = prose([50, 20, 10, 50], [false, false, true, false], 100, 5);
  assert.deepEqual(places, [{ x: 0, line: 0 }, { x: 55, line: 0 }, { x: 75, line: 0 }, { x: 0, line: 1 }]);
  const comma = prose([50, 40, 10], [false, false, true], 100, 5); // "word," does not fit, "word" would
  assert.deepEqual(comma, [{ x: 0, line: 0 }, { x: 0, line: 1 }, { x: 40, line: 1 }]);
  const long = prose([50, 60, 60], [false, false, true], 100, 5); // a word that no line holds is broken
  assert.deepEqual(long, [{ x: 0, line: 0 }, { x: 0, line: 1 }, { x: 0, line: 2 }]);
});

test("heights and shares are each other's inverse", () => {
  const scale = new LogScale(0.001, 90, 9);
  for (const share of [0.0123, 0.05, 0.5, 1]) assert.ok(Math.abs(scale.share(scale.y(share)) / share - 1) < 0.01);
  assert.equal(scale.share(scale.y(0)), 0);
  assert.equal(lowestShare([[0.5, 0.004], [0.3, 0.7]], 2), 0.002);
});

test("numbers with their units, as app/says/words.py has them", () => {
  const plain = (text) => text.replaceAll("\u00a0", " ");
  assert.deepEqual([0, 0.004321, 0.0432, 0.432].map((share) => plain(percent(share))), ["0 %", "0.43 %", "4.3 %", "43 %"]);
  assert.deepEqual([0, 0.0125].map((share) => plain(thresholdWords(share))), ["off", "1.25 %"]);
  assert.deepEqual([0.9999, 1, 0.0001, 0.613].map((share) => plain(probability(share))), ["> 99.9 %", "100.0 %", "< 0.1 %", "61.3 %"]);
});

test("a handle stays inside its row, and of two lines the nearer one is taken", () => {
  assert.equal(insideRow(50, 28, 0, 100), 50);
  assert.equal(insideRow(97, 28, 0, 100), 86); // a line at the foot of its row
  assert.equal(insideRow(3, 28, 0, 100), 14);
  assert.equal(nearest([6, 2, 40], 7), 1);
  assert.equal(nearest([8, 30], 7), -1);
});
