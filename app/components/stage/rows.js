// The rows: for each layer the words still alive over bars as high as their share of attention, the threshold a line
// across, what falls under it struck through; right of it the layer's work. A text of several systems has them below
// each other, each with all layers.

import { acting, counts, GONE, LEAVES, STAYS } from "./fate.js";
import { inside, nearest } from "./layout.js";
import { LogScale, lowestShare, thresholdWords } from "./scale.js";
import { set, shorten, svgElement } from "./svg.js";

export const CLASS_OF = ["stays", "leaves", "gone"];
const LONGEST_WORD = 18; // characters
const WIDE = { left: 92, handle: 76, curve: 64, rail: 168, caption: 0 };
const TIGHT = { left: 74, handle: 75, curve: 46, rail: 80, caption: 0 };
const NARROW = { left: 0, handle: 72, curve: 0, rail: 0, caption: 17 };
export const TALL = 40; // px: a row with two lines beside it
const WORD_LINE = 1.35, LOW_WORD_LINE = 1.2; // of its font a word takes above its bar
const APART = 4; // px between the handles of two rows, at least
export const HANDLE = 28; // px: how high a handle is for a mouse
export const SYSTEM_GAP = 18, SEGMENTS = 18; // px between two systems; above a system of two texts

/**
 * How the width is shared out: px left of the rows, of the handles, of the curves, of the work, above each row.
 *
 * @param tight whether the words need what can be spared.
 */
export function margins(width, curves, tight = false) {
  const margin = width < 640 ? NARROW : tight ? TIGHT : WIDE;
  return { ...margin, curve: curves ? margin.curve : 0 };
}

export class Rows {
  /**
   * @param svg to draw into.
   * @param data of the page.
   * @param place {width, top, margin, arrangement, height}: px, `margins(…)`, `systems(…)` or `bars(…)`, px of a row.
   */
  constructor(svg, data, place) {
    Object.assign(this, { svg, data, ...place });
    const { left, handle, curve, rail } = this.margin;
    this.left = left;
    this.lane = this.width - left - handle - curve - rail;
    this.withWords = this.arrangement.font > 0;
    this.wordsHeight = this.margin.caption + (this.withWords ? this.arrangement.font * (this.height >= TALL ? WORD_LINE : LOW_WORD_LINE) : 2);
    this.barsHeight = Math.max(10, this.height - this.wordsHeight - 2);
    this.scale = new LogScale(lowestShare(data.dense, data.tokens.length), this.barsHeight, 2);
    this.captions = data.segments.includes(1) ? SEGMENTS : 0;
    this.columns = this.arrangement.systems.flatMap((system) => system.columns);
    this.systemOf = this.arrangement.systems.flatMap((system, index) => system.columns.map(() => index));
    this.system = this.captions + data.kept.length * this.height + SYSTEM_GAP;
    this.bottom = this.top + this.arrangement.systems.length * this.system - SYSTEM_GAP + 6;
    this.draw();
  }

  rowTop(layer, system = 0) {
    return this.top + system * this.system + this.captions + layer * this.height;
  }

  barsTop(layer, system = 0) {
    return this.rowTop(layer, system) + this.wordsHeight;
  }

  /** Height on the page of a threshold's line. */
  lineY(layer, threshold, system = 0) {
    return this.barsTop(layer, system) + this.scale.y(acting(this.data, threshold));
  }

  /** How high a handle is that would be so many px high: its row is higher. */
  handleSize(wanted) {
    return Math.min(wanted, this.height - APART);
  }

  /** Where the middle of a handle stands: at its line, but inside its row, so that no two handles touch. */
  handleY(layer, threshold, size) {
    return inside(this.lineY(layer, threshold), size, this.rowTop(layer) + APART / 2, this.height - APART);
  }

  /** The threshold at a height on the page. */
  threshold(layer, y) {
    const share = this.scale.share(y - this.barsTop(layer));
    return Math.min(1, Number((share / this.data.factor).toPrecision(3)));
  }

  x(token) {
    return this.left + this.columns[token].x;
  }

  draw() {
    const group = svgElement("g", { class: "rows" }, this.svg);
    this.lit = svgElement("rect", { class: "lit", rx: 3, width: 0, height: 0 }, group);
    this.rows = this.data.kept.map((_, layer) => this.drawRow(layer, group));
    if (this.captions) this.arrangement.systems.forEach((system, index) => this.drawSegments(system, index, group));
    this.cursor = svgElement("rect", { class: "cursor", rx: 3, width: 0, height: 0 }, group);
    this.arcs = svgElement("g", { class: "arcs" }, group);
  }

  drawRow(layer, parent) {
    const row = svgElement("g", { class: "row", "data-testid": `stage-row-${layer + 1}`, "data-layer": layer + 1 }, parent);
    const lanes = this.arrangement.systems.map((_, system) => this.drawLane(layer, system, row));
    const cells = this.data.tokens.map((_, token) => this.drawCell(layer, token, row));
    for (const lane of lanes) row.append(lane.line); // over the bars
    return { row, lanes, cells, shown: [], ...this.drawRail(layer, row) };
  }

  drawLane(layer, system, parent) {
    const [top, bars] = [this.rowTop(layer, system), this.barsTop(layer, system)];
    const right = this.left + this.lane;
    svgElement("line", { class: "rule", x1: 0, x2: this.width, y1: top, y2: top }, parent);
    this.drawLabel(layer, system, top, parent);
    const below = svgElement("rect", { class: "below", x: this.left, width: this.lane }, parent);
    const end = right + (system === 0 ? 14 : 0); // as far as under the handle's round corner
    const line = svgElement("line", { class: "threshold", x1: this.left, x2: end }, parent);
    const average = svgElement("path", { class: "average" }, parent);
    if (this.data.learned) {
      const y = bars + this.scale.y(acting(this.data, this.data.learned[layer]));
      svgElement("path", { class: "learned", d: `M${right + 1},${y}l7,-4.5v9z` }, parent);
    }
    return { below, line, average, top, bars };
  }

  drawLabel(layer, system, top, parent) {
    if (this.left) {
      const y = top + Math.min(19, this.height / 2);
      svgElement("text", { class: "layer", x: 0, y }, parent, this.height >= TALL ? `Layer ${layer + 1}` : `L${layer + 1}`);
    } else {
      svgElement("text", { class: "layer small", x: 0, y: top + 13 }, parent, `Layer ${layer + 1}`);
    }
  }

  drawRail(layer, parent) {
    const top = this.rowTop(layer);
    const { left, rail } = this.margin;
    const tall = this.height >= TALL;
    const level = svgElement("text", { class: "level", x: this.left + this.lane + 39, "text-anchor": "middle" }, parent);
    const count = svgElement("text", left
      ? { class: "count", x: tall ? 0 : 24, y: top + Math.min(19, this.height / 2) + (tall ? 18 : 0) }
      : { class: "count", x: 62, y: top + 13 }, parent);
    if (!rail) return { level, count, share: svgElement("text", { class: "share", x: 128, y: top + 13 }, parent), bar: null };
    const [x, width] = [this.width - rail + 12, rail - 12];
    const middle = top + this.height / 2;
    const share = svgElement("text", { class: "share", x, y: middle - (tall ? 7 : 3) }, parent);
    const y = middle + (tall ? 0 : 3);
    svgElement("rect", { class: "dense-work", x, y, width, height: tall ? 10 : 7, rx: 2 }, parent);
    const bar = svgElement("rect", { class: "pruned-work", x, y, width: 0, height: tall ? 10 : 7, rx: 2 }, parent);
    return { level, count, share, bar, barWidth: width };
  }

  drawCell(layer, token, parent) {
    const system = this.systemOf[token];
    const { width } = this.columns[token];
    const x = this.x(token);
    const cell = svgElement("g", { class: "cell", "data-layer": layer + 1, "data-token": token + 1 }, parent);
    const top = this.rowTop(layer, system) + this.margin.caption;
    if (this.withWords) // bars alone are many, and a pointer finds them by where it is
      svgElement("rect", { class: "hit", x, y: top, width, height: this.height - this.margin.caption }, cell);
    const bar = svgElement("rect", { class: "bar", x, width: Math.max(0.8, width), rx: width > 6 ? 2 : 0 }, cell);
    if (this.withWords) {
      const font = this.arrangement.font;
      const word = svgElement("text", { class: "word", x, y: top + font * 1.1, "font-size": font }, cell,
        shorten(this.data.tokens[token], LONGEST_WORD));
      word.style.fontSize = `${font}px`;
    }
    return { cell, bar, bottom: this.barsTop(layer, system) + this.barsHeight };
  }

  /** Where one text of a pair ends and the other begins. */
  drawSegments(system, index, parent) {
    const second = this.data.segments.indexOf(1);
    const at = second - system.first;
    const top = this.top + index * this.system;
    const caption = (x, text, anchor) =>
      svgElement("text", { class: "caption", x, y: top + 13, "text-anchor": anchor }, parent, text);
    if (at <= 0 || at >= system.columns.length)
      return caption(this.left, at <= 0 ? "second text" : "first text", "start");
    const x = this.left + system.columns[at].x - 4;
    const { caption: above } = this.margin; // of a row, where its numbers stand: the line spares these
    const rows = this.data.kept.map((_, layer) => this.rowTop(layer, index));
    const lines = above ? [[top, top + this.captions], ...rows.map((y) => [y + above, y + this.height])]
      : [[top, rows.at(-1) + this.height]];
    for (const [y1, y2] of lines) svgElement("line", { class: "divide", x1: x, x2: x, y1, y2 }, parent);
    caption(x - 7, "first text", "end");
    caption(x + 7, "second text", "start");
  }

  /**
   * Show thresholds and what they do; only what differs from the picture is touched.
   *
   * @param run {thresholds, states, shares, work, exact}; exact: states of the server's run, which previews differ from.
   */
  show({ thresholds, states, shares, work, exact, preview }) {
    this.rows.forEach((row, layer) => {
      const [entering, after] = counts(states[layer]);
      row.lanes.forEach(({ below, line, average, bars }) => {
        const y = this.scale.y(acting(this.data, thresholds[layer]));
        set(line, { y1: bars + y, y2: bars + y });
        set(below, { y: bars + y, height: Math.max(0, this.barsHeight - y) });
        const mean = bars + this.scale.y(1 / entering);
        set(average, { d: `M${this.left - 9},${mean}h7` });
      });
      const differs = preview && states[layer].some((state, token) => state !== exact[layer][token]);
      const arrow = `${entering} → ${differs ? "≈ " : ""}${after}`;
      if (row.count.textContent !== arrow) row.count.textContent = arrow;
      row.count.classList.toggle("preview", differs);
      this.showLevel(row.level, layer, thresholds[layer]);
      this.showWork(row, work[layer]);
      states[layer].forEach((state, token) => this.showCell(row, layer, token, state, shares[layer][token], exact, preview));
    });
  }

  /** The threshold as the handle shows it, which lies over it: for pictures, and where there is no handle. */
  showLevel(level, layer, threshold) {
    level.textContent = thresholdWords(acting(this.data, threshold));
    set(level, { y: this.handleY(layer, threshold, this.handleSize(HANDLE)) + 5 });
  }

  showWork(row, { dense, pruned }) {
    const share = pruned / dense;
    const whole = Math.round(share * 100);
    const { rail } = this.margin;
    row.share.textContent = rail > 100 ? `${whole} % of this layer’s work` : rail ? `work ${whole} %` : `${whole} % of its work`;
    if (row.bar) set(row.bar, { width: Math.max(1, row.barWidth * share) });
  }

  showCell(row, layer, token, state, share, exact, preview) {
    const changed = preview && state !== exact[layer][token];
    const height = state === GONE ? 2 : Math.max(2, this.barsHeight - this.scale.y(share ?? 0));
    const name = `cell ${CLASS_OF[state]}${changed ? " preview" : ""}`;
    const key = `${name} ${height}`;
    if (row.shown[token] === key) return;
    row.shown[token] = key;
    const { cell, bar, bottom } = row.cells[token];
    cell.setAttribute("class", name);
    set(bar, { y: bottom - height, height });
  }

  /** Rows up to `step` are played; `moving` lets the last of them happen before one's eyes. */
  play(step, moving) {
    this.rows.forEach(({ row }, layer) => {
      row.classList.toggle("future", layer >= step);
      row.classList.toggle("now", moving && layer === step - 1);
    });
  }

  /** A column lit, and one cell outlined; null for none. */
  light(token, layer) {
    set(this.lit, { class: token === null ? "lit" : "lit on" });
    set(this.cursor, { class: token === null || layer === null ? "cursor" : "cursor on" });
    if (token === null) return;
    const { x, width } = this.columns[token];
    const system = this.systemOf[token];
    const tall = this.data.kept.length * this.height;
    set(this.lit, { x: this.left + x - 2, width: Math.max(width, 3) + 4, y: this.rowTop(0, system), height: tall });
    if (layer !== null) set(this.cursor, this.box(layer, token));
  }

  box(layer, token) {
    const { x, width } = this.columns[token];
    return {
      x: this.left + x - 2, width: Math.max(width, 3) + 4,
      y: this.rowTop(layer, this.systemOf[token]) + this.margin.caption + 1, height: this.height - this.margin.caption - 2,
    };
  }

  /** The layer and token under a point, or null. */
  at(x, y) {
    const system = Math.floor((y - this.top) / this.system);
    if (system < 0 || system >= this.arrangement.systems.length) return null;
    const layer = Math.floor((y - this.top - system * this.system - this.captions) / this.height);
    if (layer < 0 || layer >= this.data.kept.length) return null;
    const { first, columns } = this.arrangement.systems[system];
    const index = columns.findIndex((column) => x - this.left < column.x + column.width + 3);
    if (index < 0 || x < this.left) return null;
    return { token: first + index, layer };
  }

  /** The layer whose curve is at a point, or -1. */
  curveAt(x, y) {
    const left = this.left + this.lane + this.margin.handle;
    if (x < left || x > left + this.margin.curve) return -1;
    const layer = Math.floor((y - this.top - this.captions) / this.height);
    return layer < this.data.kept.length ? layer : -1;
  }

  /** The layer whose line is nearest to a point in the lanes, if one is within reach; else -1. */
  lineAt(x, y, thresholds, reach) {
    if (x < this.left || x > this.left + this.lane) return -1;
    return nearest(thresholds.map((threshold, layer) =>
      Math.min(...this.arrangement.systems.map((_, system) => Math.abs(y - this.lineY(layer, threshold, system))))), reach);
  }

  /** How far a point is from the first system's copy of a row, for a drag that began in another. */
  systemShift(layer, y) {
    const system = Math.max(0, Math.floor((y - this.top) / this.system));
    return Math.min(system, this.arrangement.systems.length - 1) * this.system;
  }
}
