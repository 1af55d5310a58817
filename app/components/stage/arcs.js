// Who looks at one word: an arc from each, as strong as the attention it gives.

import { svgElement } from "./svg.js";

const FEWEST = 0.02; // of a word's attention: thinner arcs are left out
const HIGHEST = 30; // px

/** Weights of one layer from what the page sends: {tokens, largest, weights: base64 of bytes, row by row}. */
export class Attention {
  constructor({ tokens, largest, weights }) {
    this.at = new Map(tokens.map((token, index) => [token, index]));
    this.tokens = tokens;
    this.largest = largest;
    this.bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
  }

  /** How much each token alive gives to one of them: [{token, share}], the most first. */
  lookingAt(token) {
    const column = this.at.get(token);
    if (column === undefined) return [];
    const size = this.tokens.length;
    return this.tokens
      .map((giver, row) => ({ token: giver, share: (this.bytes[row * size + column] / 255) * this.largest }))
      .sort((one, other) => other.share - one.share);
  }
}

/** Draw the arcs to a token in a layer of the rows. */
export function drawArcs(rows, layer, token, givers) {
  rows.arcs.replaceChildren();
  const centre = (index) => rows.x(index) + rows.columns[index].width / 2;
  const y = rows.rowTop(layer, rows.systemOf[token]) + rows.margin.caption + 4;
  const most = Math.max(...givers.map(({ share }) => share), FEWEST);
  for (const { token: giver, share } of givers) {
    if (giver === token || share < FEWEST || rows.systemOf[giver] !== rows.systemOf[token]) continue;
    const [from, to] = [centre(giver), centre(token)];
    const height = Math.min(HIGHEST, 8 + Math.abs(to - from) / 6);
    svgElement("path", {
      class: "arc", d: `M${from},${y}C${from},${y - height} ${to},${y - height} ${to},${y}`,
      "stroke-width": (0.8 + 3.2 * (share / most)).toFixed(2), opacity: (0.25 + 0.7 * (share / most)).toFixed(2),
    }, rows.arcs);
  }
}
