// The survival map: tokens from left to right, layers from top to bottom, colour for attention received. Long
// inputs are wrapped into lines of equal length.

class SurvivalMap {
  constructor(svg, data, width, left, right, boardColumn) {
    const [layers, tokens] = [data.kept.length, data.tokens.length];
    const room = width - left - right;
    const most = Math.max(1, Math.floor(room / (width < 640 ? 19 : 24)));
    this.lineCount = Math.ceil(tokens / most);
    this.perLine = Math.ceil(tokens / this.lineCount);
    this.column = this.lineCount === 1 ? boardColumn : room / this.perLine;
    this.row = this.lineCount > 2 ? 15 : this.lineCount > 1 ? 22 : Math.max(18, Math.min(34, 220 / layers));
    [this.svg, this.data, this.left, this.width] = [svg, data, left, width];
    this.draw();
  }

  draw() {
    const { svg, data } = this;
    svg.replaceChildren();
    this.cells = data.kept.map(() => []);
    this.shown = data.kept.map(() => []);
    this.tops = [];
    let top = data.segments.includes(1) ? LANE.captions : 0;
    for (let line = 0; line < this.lineCount; line += 1) top = this.drawLine(line, top);
    this.height = top;
    svg.setAttribute("height", top);
    this.cursor = svgElement("rect", { class: "cursor", rx: 3, width: 0, height: 0 }, svg);
  }

  drawLine(line, from) {
    const { data } = this;
    const first = line * this.perLine;
    const tokens = data.tokens.slice(first, first + this.perLine);
    const top = from + wordsHeight(tokens, this.column);
    const x = (index) => this.left + (index + 0.5) * this.column;
    drawWords(this.svg, tokens, first, x, this.column, top - 6);
    data.kept.forEach((_, layer) => {
      const y = top + layer * this.row;
      svgElement("text", { class: "tick", x: this.left - 7, y: y + this.row / 2 + 5, "text-anchor": "end" }, this.svg,
        this.left > 90 && this.row > 16 ? `layer ${layer + 1}` : layer + 1);
      tokens.forEach((_, index) => this.drawCell(layer, first + index, x(index) - this.column / 2, y));
    });
    const bottom = top + data.kept.length * this.row;
    drawSegments(this.svg, data.segments.slice(first, first + this.perLine), x, this.column, from - 16, bottom);
    this.tops.push({ from, top, bottom });
    return bottom + 14;
  }

  drawCell(layer, token, x, y) {
    const gap = this.column > 8 ? 2 : 0.5;
    const [width, height] = [Math.max(1, this.column - gap), this.row - 2];
    const about = { class: "cell", transform: `translate(${x},${y})`, "data-layer": layer + 1, "data-token": token + 1 };
    const group = svgElement("g", about, this.svg);
    svgElement("rect", { class: "fill", width, height, rx: 2 }, group);
    const arm = Math.min(5, width / 3, height / 3);
    const [cx, cy] = [width / 2, height / 2];
    svgElement("path", {
      class: "cross",
      d: `M${cx - arm},${cy - arm}L${cx + arm},${cy + arm}M${cx - arm},${cy + arm}L${cx + arm},${cy - arm}`,
    }, group);
    this.cells[layer][token] = group;
  }

  show(states, exact, preview) {
    const { data } = this;
    states.forEach((row, layer) => {
      const [entering] = counts(exact[layer]);
      row.forEach((state, token) => {
        const share = data.importance[layer][token] ?? data.dense[layer][token];
        const colour = state === STAYS ? ` i${level(share, entering)}` : "";
        const changed = preview && state !== exact[layer][token] ? " preview" : "";
        const name = `cell ${CLASS_OF[state]}${colour}${changed}`;
        if (this.shown[layer][token] !== name) this.cells[layer][token].setAttribute("class", name);
        this.shown[layer][token] = name;
      });
    });
  }

  box(layer, token) {
    const line = this.tops[Math.floor(token / this.perLine)];
    const x = this.left + (token % this.perLine) * this.column;
    return { x, y: line.top + layer * this.row, width: this.column - 1, height: this.row - 1, line };
  }

  /** Outline one cell, or a whole column; null for none. */
  light(token, layer = null) {
    if (token === null) return this.cursor.setAttribute("class", "cursor");
    const box = this.box(layer ?? 0, token);
    const tall = layer === null ? box.line.bottom - box.line.top : box.height;
    const at = { x: box.x - 1, y: box.y - 1, width: box.width + 1, height: tall + 1, class: "cursor lit" };
    for (const [key, value] of Object.entries(at)) this.cursor.setAttribute(key, value);
  }

  at(x, y) {
    const line = this.tops.findIndex((one) => y >= one.from && y < one.bottom);
    const index = Math.floor((x - this.left) / this.column);
    if (line < 0 || index < 0 || index >= this.perLine) return null;
    const token = line * this.perLine + index;
    if (token >= this.data.tokens.length) return null;
    const layer = Math.floor((y - this.tops[line].top) / this.row);
    return { token, layer: Math.max(0, layer), inside: layer >= 0 };
  }
}
