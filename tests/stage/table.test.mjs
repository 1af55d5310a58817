import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, stageJson, stageRows } from "../../app/components/stage/table.js";
import { layerWork, total, work } from "../../app/components/stage/work.js";
import { data } from "./worked.mjs";

test("a table has a row a token, with title and legend in the first", () => {
  const [head, first, ...others] = stageRows(data, "A title", "A legend");
  assert.equal(others.length, 4);
  assert.deepEqual(first.slice(0, 5), [1, "[CLS]", 1, 0.4, 1]);
  assert.deepEqual([first.at(-2), first.at(-1), others[0].at(-1)], ["A title", "A legend", ""]);
  assert.equal(head[3], "share of attention, layer 1");
  assert.deepEqual(others[1].slice(3, 7), [0.05, 0, null, 0]);
});

test("cells are quoted, and no text becomes a formula", () => {
  assert.equal(csv([["a,b", 'say "x"', null, "=1+1", -0.5, "two\nlines"]]), '"a,b","say ""x""",,\'=1+1,-0.5,"two\nlines"\r\n');
});

test("JSON holds what is on the stage", () => {
  const layers = data.kept.map(() => ({ dense: 10, pruned: 7 }));
  const found = JSON.parse(JSON.stringify(stageJson(data, "T", "L", layers)));
  assert.deepEqual(found.pruned.probabilities, { negative: 0.15, positive: 0.85 });
  assert.deepEqual(found.layers[1].kept, [true, true, false, true, false]);
  assert.equal(found.layers[1].flops, 7);
  assert.equal(found.title, "T");
});

test("the work of a layer, by hand", () => {
  const size = { hidden: 2, ffnWeights: 16, windows: [null, 1] };
  // 2 (4·3·4 + 2·9·2) + 2·2·16 = 168 + 64
  assert.equal(layerWork(size, 0, 3, 2), 232);
  // with a window of 1, three tokens see 7 pairs: 2 (48 + 2·7·2) + 64
  assert.equal(layerWork(size, 1, 3, 2), 216);
  assert.deepEqual(total(work(size, 3, [[3, 2], [2, 1]])), { dense: 264 + 248, pruned: 232 + 128 });
});
