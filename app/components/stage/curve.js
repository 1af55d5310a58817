// Beside a handle: how sure the model is of the dense answer under each threshold of this layer, on the row's own axis, and
// where the answer flips.

import { acting } from "./fate.js";
import { shareOf, spoken } from "./story.js";
import { svgElement } from "./svg.js";

/**
 * @param rows the rows.
 * @param layer which, 0 is the first.
 * @param points [{from, probabilities, value}], as app/live/README.md has them; null takes the curve away.
 */
export function drawCurve(rows, layer, points) {
  const { data, scale } = rows;
  rows.rows[layer].curve?.remove();
  rows.rows[layer].curve = null;
  if (!points || !rows.margin.curve) return;
  const { label } = spoken(data, data.answers.dense);
  const [low, high] = label === null ? [data.scale?.low ?? 0, data.scale?.high ?? 1] : [0, 1];
  const left = rows.left + rows.lane + rows.margin.handle;
  const width = rows.margin.curve - 10;
  const group = svgElement("g", { class: "curve" }, rows.rows[layer].row);
  const top = rows.barsTop(layer);
  const y = (threshold) => top + scale.y(acting(data, threshold));
  svgElement("rect", { class: "curve-ground", x: left, width, y: top, height: rows.barsHeight, rx: 2 }, group);
  if (label !== null)
    svgElement("line", { class: "curve-half", x1: left + width / 2, x2: left + width / 2, y1: top, y2: top + rows.barsHeight }, group);
  points.forEach((point, index) => {
    const x = left + width * Math.max(0, Math.min(1, (shareOf(data, point, label) - low) / (high - low)));
    const [from, to] = [y(point.from), y(points[index + 1]?.from ?? 1)];
    const flipped = label !== null && spoken(data, point).label !== label;
    const before = points[index - 1];
    const name = `curve-line${flipped ? " flipped" : ""}`;
    svgElement("line", { class: name, x1: x, x2: x, y1: from, y2: to }, group);
    if (!before) return;
    const last = left + width * Math.max(0, Math.min(1, (shareOf(data, before, label) - low) / (high - low)));
    svgElement("line", { class: name, x1: last, x2: x, y1: from, y2: from }, group);
    const flips = label !== null && flipped !== (spoken(data, before).label !== label);
    if (flips) svgElement("circle", { class: "flip", cx: left + width / 2, cy: from, r: 3 }, group);
  });
  rows.rows[layer].curve = group;
}
