// The lanes: one for each layer, one mark for each token at its share of attention, a line at the threshold.

const LANE = { left: 104, right: 92, narrowLeft: 62, narrowRight: 74, margin: 9, gap: 10, captions: 22 };
const CLASS_OF = ["stays", "leaves", "gone"];

function svgElement(name, attributes, parent, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text; // never markup
  parent?.append(element);
  return element;
}

function shorten(text, limit) {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("")}…`;
}

/** Words over columns, at 45 degrees; where columns are narrow, the number of every tenth token. */
function drawWords(parent, tokens, first, x, columnWidth, bottom) {
  const words = columnWidth >= 15;
  const every = words ? 1 : Math.ceil(34 / columnWidth / 5) * 5;
  tokens.forEach((token, index) => {
    const number = first + index + 1;
    if (!words && number !== 1 && number % every) return;
    const at = `translate(${x(index)},${bottom})${words ? " rotate(-45)" : ""}`;
    const attributes = { class: "word", transform: at, "text-anchor": words ? "start" : "middle" };
    svgElement("text", { ...attributes, "data-token": first + index }, parent, words ? shorten(token, 12) : number);
  });
}

/** Room for the words of these tokens. */
function wordsHeight(tokens, columnWidth) {
  if (columnWidth < 15) return 22;
  return 16 + 5.6 * Math.max(...tokens.map((token) => Math.min([...token].length, 12)));
}

/** Where one text of a pair ends and the other begins. */
function drawSegments(parent, segments, x, columnWidth, top, bottom) {
  const second = segments.indexOf(1);
  if (second < 1) return;
  const at = x(second) - columnWidth / 2;
  svgElement("line", { class: "divide", x1: at, x2: at, y1: top, y2: bottom }, parent);
  svgElement("text", { class: "caption", x: at - 8, y: top + 11, "text-anchor": "end" }, parent, "first text");
  svgElement("text", { class: "caption", x: at + 8, y: top + 11 }, parent, "second text");
}

class Lanes {
  constructor(svg, data, width) {
    const [layers, tokens] = [data.kept.length, data.tokens.length];
    const narrow = width < 640;
    this.svg = svg;
    this.data = data;
    this.left = narrow ? LANE.narrowLeft : LANE.left;
    this.right = narrow ? LANE.narrowRight : LANE.right;
    this.column = (width - this.left - this.right) / tokens;
    this.laneHeight = Math.max(60, Math.min(96, 600 / layers));
    this.scale = new LogScale(lowestShare(data.dense, tokens), this.laneHeight, LANE.margin);
    this.captions = data.segments.includes(1) ? LANE.captions : 0;
    this.top = this.captions + wordsHeight(data.tokens, this.column);
    this.width = width;
    this.height = this.top + layers * (this.laneHeight + LANE.gap) + 4;
    this.draw();
  }

  x(token) {
    return this.left + (token + 0.5) * this.column;
  }

  laneTop(layer) {
    return this.top + 4 + layer * (this.laneHeight + LANE.gap);
  }

  draw() {
    const { svg, data } = this;
    svg.replaceChildren();
    svg.setAttribute("height", this.height);
    this.hover = svgElement("rect", { class: "hover", width: Math.max(this.column, 3), y: 0, height: this.height }, svg);
    drawWords(svg, data.tokens, 0, (token) => this.x(token), this.column, this.top - 6);
    this.lanes = data.kept.map((_, layer) => this.drawLane(layer));
    drawSegments(svg, data.segments, (token) => this.x(token), this.column, 0, this.height);
  }

  drawLane(layer) {
    const { data, scale, left } = this;
    const top = this.laneTop(layer);
    const group = svgElement("g", { class: "lane", transform: `translate(0,${top})` }, this.svg);
    const right = this.width - this.right;
    const ground = { x: left, width: right - left, rx: 4 };
    svgElement("rect", { class: "ground", ...ground, y: 0, height: this.laneHeight }, group);
    const below = svgElement("rect", { class: "below", ...ground }, group);
    for (const share of scale.ticks()) {
      const y = scale.y(share);
      svgElement("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }, group);
      if (left > 90)
        svgElement("text", { class: "tick", x: left - 7, y: y + 4, "text-anchor": "end" }, group, thresholdWords(share));
    }
    svgElement("text", { class: "layer", x: 0, y: 20 }, group, left > 90 ? `Layer ${layer + 1}` : `L${layer + 1}`);
    const count = svgElement("text", { class: "count", x: 0, y: 40 }, group);
    const [entering] = counts(this.exact()[layer]);
    const average = scale.y(1 / entering);
    svgElement("line", { class: "average", x1: left, x2: right, y1: average, y2: average }, group);
    const marks = this.drawMarks(layer, group);
    const line = svgElement("line", { class: "line", x1: left, x2: right }, group);
    if (data.learned)
      svgElement("path", { class: "learned", d: `M${right},${scale.y(data.learned[layer])}l8,-5v10z` }, group);
    const value = svgElement("text", { class: "value", x: right + 20 }, group);
    return { below, line, value, count, marks, states: [] };
  }

  drawMarks(layer, group) {
    const { data, scale } = this;
    const radius = Math.max(1.7, Math.min(6, this.column * 0.3));
    return data.tokens.map((_, token) => {
      const share = data.importance[layer][token] ?? data.dense[layer][token];
      const [x, y] = [this.x(token), scale.y(share)];
      const mark = svgElement("g", { class: "mark", transform: `translate(${x},${y})`, "data-token": token }, group);
      const stem = scale.y(0) - y;
      if (this.column >= 4 && stem > 1) svgElement("line", { class: "stem", y1: 0, y2: stem }, mark);
      svgElement("circle", { class: "dot", r: radius }, mark);
      const arm = Math.max(2, radius * 0.85);
      svgElement("path", { class: "cross", d: `M${-arm},${-arm}L${arm},${arm}M${-arm},${arm}L${arm},${-arm}` }, mark);
      return mark;
    });
  }

  exact() {
    this.exactly ??= exactStates(this.data);
    return this.exactly;
  }

  /** Show these thresholds and what they do; only what differs from the picture is touched. */
  show(thresholds, states, preview) {
    const exact = this.exact();
    this.lanes.forEach((lane, layer) => {
      const y = this.scale.y(thresholds[layer]);
      for (const end of ["y1", "y2"]) lane.line.setAttribute(end, y);
      lane.below.setAttribute("y", y);
      lane.below.setAttribute("height", Math.max(0, this.laneHeight - y));
      lane.value.setAttribute("y", Math.max(15, Math.min(this.laneHeight - 5, y + 5)));
      lane.value.textContent = thresholdWords(thresholds[layer]);
      const [before, after] = counts(states[layer]);
      const differs = preview && states[layer].some((state, token) => state !== exact[layer][token]);
      lane.count.textContent = `${before} → ${differs ? "≈ " : ""}${after}`;
      lane.count.classList.toggle("preview", differs);
      states[layer].forEach((state, token) => {
        const changed = preview && state !== exact[layer][token];
        const name = `mark ${CLASS_OF[state]}${changed ? " preview" : ""}`;
        if (lane.states[token] !== name) lane.marks[token].setAttribute("class", name);
        lane.states[token] = name;
      });
    });
  }

  light(token) {
    this.hover.setAttribute("class", token === null ? "hover" : "hover lit");
    if (token !== null) this.hover.setAttribute("x", this.x(token) - this.hover.getAttribute("width") / 2);
  }

  /** The layer and token under a point of the drawing, or null. */
  at(x, y) {
    const token = Math.floor((x - this.left) / this.column);
    if (token < 0 || token >= this.data.tokens.length || y < 0) return null;
    const layer = Math.floor((y - this.top - 4) / (this.laneHeight + LANE.gap));
    return { token, layer: Math.max(0, Math.min(this.data.kept.length - 1, layer)), inside: y > this.top };
  }
}
