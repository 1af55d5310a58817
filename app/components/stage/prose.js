// A long text as a text: each word shaded by the layer where it leaves, one layer at a time by the scrubber.

import { GONE, LEAVES } from "./fate.js";
import { prose } from "./layout.js";
import { set, svgElement } from "./svg.js";

export const PROSE_FONT = 15; // px
export const PROSE_WEIGHT = 650; // of words that stay to the end, the widest
const LINE = 24, SPACE = 5, PAD = 2; // px

/** Height of a text as prose, px; `widths` at PROSE_FONT and PROSE_WEIGHT. */
export function proseHeight(widths, glued, width) {
  return (prose(widths, glued, width - 2 * PAD, SPACE).at(-1).line + 1) * LINE + 8;
}

export class Prose {
  /** @param place {width, top, widths}: widths of the pieces at PROSE_FONT and PROSE_WEIGHT. */
  constructor(svg, data, place) {
    Object.assign(this, { svg, data, ...place });
    const glued = data.pieces.map((piece) => piece.glued);
    this.places = prose(this.widths, glued, this.width - 2 * PAD, SPACE);
    this.draw();
  }

  draw() {
    const group = svgElement("g", { class: "prose" }, this.svg);
    this.words = this.data.pieces.map(({ text }, token) => {
      const { x, line } = this.places[token];
      const y = this.top + line * LINE;
      const word = svgElement("g", { class: "piece", "data-token": token + 1 }, group);
      svgElement("rect", { class: "shade", x: x + PAD - 1, y: y + 2, width: this.widths[token] + 2, height: LINE - 4, rx: 3 }, word);
      svgElement("text", { class: "word", x: x + PAD, y: y + 17 }, word, text).style.fontSize = `${PROSE_FONT}px`;
      return word;
    });
    this.cursor = svgElement("rect", { class: "cursor", rx: 3, width: 0, height: 0 }, group);
  }

  /** Shade each word by where it leaves; before the last step, show what the layer of that step does. */
  show(states, step) {
    const layers = states.length;
    this.words.forEach((word, token) => {
      const leaves = states.findIndex((row) => row[token] !== 0); // 0: stays
      const gone = leaves >= 0 && leaves < step - 1;
      const now = leaves >= 0 && leaves === step - 1 && step < layers;
      const depth = leaves < 0 ? 9 : Math.round((8 * leaves) / Math.max(1, layers - 1));
      set(word, { class: `piece d${depth}${step < layers && gone ? " past" : ""}${now ? " leaves" : ""}${
        step < layers && leaves >= step ? " alive" : ""}` });
    });
  }

  light(token) {
    set(this.cursor, { class: token === null ? "cursor" : "cursor on" });
    if (token !== null) set(this.cursor, this.box(token));
  }

  box(token) {
    const { x, line } = this.places[token];
    return { x: x + PAD - 2, y: this.top + line * LINE + 1, width: this.widths[token] + 4, height: LINE - 2 };
  }

  at(x, y) {
    const line = Math.floor((y - this.top) / LINE);
    const token = this.places.findIndex((place, index) =>
      place.line === line && x >= place.x - SPACE / 2 && x <= place.x + this.widths[index] + SPACE / 2 + PAD);
    return token < 0 ? null : { token, layer: null };
  }

  /** The layer that a click on a word means: where it leaves, else the last. */
  layerOf(states, token) {
    const leaves = states.findIndex((row) => row[token] === LEAVES || row[token] === GONE);
    return leaves < 0 ? states.length - 1 : leaves;
  }
}
