// Lanes and survival map together: thresholds are dragged or moved by keys, both pictures show at once what would
// happen, and on release the page runs the model. Hovering a token lights it in both, and in other figures that
// listen to "ltp-token" on the document; a click asks for the microscope.

const boards = new WeakMap(); // a component's root -> its board: Streamlit calls us again with new data
const PATIENCE = 6000; // ms that a preview waits for its exact result before older ones are shown again

export default function ({ parentElement, data, setTriggerValue }) {
  if (!boards.has(parentElement)) boards.set(parentElement, new Board(parentElement));
  const board = boards.get(parentElement);
  board.send = setTriggerValue;
  board.update(data);
  return () => board.stop();
}

class Board {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.sliders = [];
    this.watch = new ResizeObserver(() => this.data && this.fit());
    this.watch.observe(this.find(".board"));
    this.onToken = (event) => event.detail.from !== this && this.light(event.detail.token, null, null);
    document.addEventListener("ltp-token", this.onToken);
    for (const figure of ["lanes", "map"]) {
      const svg = this.find(`.${figure}`);
      svg.addEventListener("pointerdown", () => (this.suppressClick = false));
      svg.addEventListener("pointermove", (event) => this.hover(figure, event));
      svg.addEventListener("pointerleave", () => this.tell(null, null, null));
      svg.addEventListener("click", (event) => this.open(this.under(figure, event)));
      for (const format of ["svg", "png"])
        this.find(`.save-${figure}-${format}`).onclick = () => this.save(svg, figure, format);
    }
    const lanes = this.find(".lanes");
    lanes.addEventListener("pointerdown", (event) => this.grabLine(event));
    this.find(".map-keys").addEventListener("keydown", (event) => this.walk(event));
    this.find(".map-keys").addEventListener("blur", () => this.tell(null, null, null));
  }

  stop() {
    this.watch.disconnect();
    document.removeEventListener("ltp-token", this.onToken);
  }

  get mode() {
    return this.find("input[name=mode]:checked").value;
  }

  update(data) {
    const news = JSON.stringify(data);
    if (news === this.news) return;
    this.news = news;
    this.data = data;
    const late = this.sent && !same(this.sent.thresholds, data.thresholds) && Date.now() - this.sent.at < PATIENCE;
    if (!this.drag && !this.keys && !late) {
      this.trial = null;
      if (this.sent) this.say(this.outcome());
      this.sent = null;
    }
    this.exact = exactStates(data);
    this.find(".map-title").textContent = data.finding;
    this.find(".map").setAttribute("aria-label", `Survival map: ${data.finding}`);
    for (const figure of ["lanes", "map"])
      for (const format of ["svg", "png"])
        nameButton(this.find(`.save-${figure}-${format}`), format, this.titleOf(figure));
    this.fit();
  }

  /** Draw for the present width. */
  fit() {
    const width = Math.floor(this.find(".board").getBoundingClientRect().width);
    if (width < 100 || (width === this.width && this.drawn === this.data)) return;
    [this.width, this.drawn] = [width, this.data];
    this.lanes = new Lanes(this.find(".lanes"), this.data, width);
    this.map = new SurvivalMap(
      this.find(".map"), this.data, width, this.lanes.left, this.lanes.right, this.lanes.column);
    this.makeSliders();
    this.show();
  }

  get thresholds() {
    return this.trial ?? this.data.thresholds;
  }

  /** Bring pictures and sliders in line with the thresholds: the exact result, or a preview of others. */
  show() {
    const preview = this.trial !== null && !same(this.trial, this.data.thresholds);
    const states = preview ? previewStates(this.data, this.trial) : this.exact;
    this.states = states;
    this.lanes.show(this.thresholds, states, preview);
    this.map.show(states, this.exact, preview);
    this.find(".board").classList.toggle("previewing", preview);
    const waiting = this.sent ? "the model runs …" : "release to run the model";
    this.find(".outcome").textContent = !preview
      ? this.data.outcome
      : `Preview: about ${counts(states.at(-1))[1]} of ${this.data.tokens.length} tokens reach the end; ${waiting}`;
    this.sliders.forEach((slider, layer) => {
      const value = this.thresholds[layer];
      const [before, after] = counts(states[layer]);
      const y = this.lanes.scale.y(value);
      slider.style.top = `${this.lanes.laneTop(layer) + y}px`;
      slider.setAttribute("aria-valuenow", Number((value * 100).toPrecision(4)));
      const leaving = `${before - after} of ${before} tokens ${preview ? "would leave" : "leave"} here`;
      slider.setAttribute("aria-valuetext", `${thresholdWords(value)}, ${leaving}`);
    });
  }

  makeSliders() {
    const layers = this.data.fixed ? 0 : this.data.kept.length; // without a slider nothing takes hold of a line
    this.find("fieldset").hidden = this.data.fixed;
    while (this.sliders.length > layers) this.sliders.pop().remove();
    while (this.sliders.length < layers) this.sliders.push(this.makeSlider(this.sliders.length));
    for (const slider of this.sliders) slider.style.left = `${this.width - this.lanes.right + 9}px`;
  }

  makeSlider(layer) {
    const slider = document.createElement("div");
    const about = { role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": 0,
      "aria-valuemax": 100, "aria-label": `Threshold of layer ${layer + 1}`, "data-layer": layer + 1, class: "slider" };
    for (const [name, value] of Object.entries(about)) slider.setAttribute(name, value);
    slider.addEventListener("pointerdown", (event) => this.grab(layer, slider, event));
    slider.addEventListener("keydown", (event) => this.key(layer, event));
    slider.addEventListener("keyup", () => this.keys && this.release());
    slider.addEventListener("blur", () => this.keys && this.release());
    this.find(".stage").append(slider);
    return slider;
  }

  // Dragging: by the handle with any pointer, or by the line itself with a mouse.

  grabLine(event) {
    if (event.pointerType !== "mouse") return;
    const [x, y] = this.place(this.find(".lanes"), event);
    const layer = this.sliders.findIndex((_, index) => {
      const line = this.lanes.laneTop(index) + this.lanes.scale.y(this.thresholds[index]);
      return Math.abs(y - line) <= 7;
    });
    if (layer >= 0 && x > this.lanes.left) this.grab(layer, this.find(".lanes"), event);
  }

  grab(layer, target, event) {
    if (event.button) return;
    event.preventDefault();
    this.sliders[layer].focus({ preventScroll: true });
    target.setPointerCapture(event.pointerId);
    const start = this.thresholds;
    const svg = this.find(".lanes");
    this.drag = { moved: false };
    const move = (at) => {
      const [, y] = this.place(svg, at);
      const share = this.lanes.scale.share(y - this.lanes.laneTop(layer));
      this.drag.moved = true;
      this.try(moved(start, layer, Math.min(1, share), this.mode));
    };
    const end = (at) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) target.removeEventListener(name, handlers[name]);
      const changed = this.drag.moved && at.type === "pointerup";
      this.drag = null;
      this.suppressClick = true; // the click that follows is the end of this drag
      if (changed) this.release();
      else this.try(null);
    };
    const handlers = { pointermove: move, pointerup: end, pointercancel: end };
    for (const [name, handler] of Object.entries(handlers)) target.addEventListener(name, handler);
  }

  key(layer, event) {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
    const ends = { Home: 0, End: 1 };
    let value;
    if (event.key in steps) value = stepped(this.thresholds[layer], this.data.steps, steps[event.key]);
    else if (event.key in ends) value = ends[event.key];
    else return;
    event.preventDefault();
    this.keys = true;
    this.try(moved(this.thresholds, layer, value, this.mode));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keys && this.release(), 800); // a screen reader may send no keyup
  }

  try(thresholds) {
    this.trial = thresholds;
    this.show();
    this.find(".board").dispatchEvent(new CustomEvent("ltp-preview", { bubbles: true, composed: true }));
  }

  /** Ask the page for the exact result. */
  release() {
    this.keys = false;
    if (!this.trial || same(this.trial, this.data.thresholds)) return this.try(null);
    this.sent = { thresholds: this.trial, at: Date.now() };
    this.show();
    this.send("release", this.trial);
  }

  // Looking: hover and click with a pointer, arrows and Enter in the map.

  place(svg, event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  under(figure, event) {
    const [x, y] = this.place(this.find(`.${figure}`), event);
    return figure === "lanes" ? this.lanes.at(x, y) : this.map.at(x, y);
  }

  hover(figure, event) {
    if (this.drag) return;
    const at = this.under(figure, event);
    this.tell(at?.token ?? null, at?.inside ? at.layer : null, event, figure);
  }

  tell(token, layer, event) {
    this.light(token, layer, event);
    document.dispatchEvent(new CustomEvent("ltp-token", { detail: { token, layer, from: this } }));
  }

  light(token, layer, event) {
    if (!this.lanes || token >= this.data.tokens.length) return;
    this.lanes.light(token);
    this.map.light(token, layer);
    const tip = this.find(".tip");
    tip.hidden = token === null || !event;
    if (tip.hidden) return;
    tip.textContent = this.describe(token, layer);
    const box = this.find(".board").getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    tip.style.left = `${Math.max(0, Math.min(x + 14, box.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 20}px`;
  }

  /** What happened to a token, in words. */
  describe(token, layer) {
    const { data } = this;
    const which = data.segments.includes(1) ? ` · ${data.segments[token] ? "second" : "first"} text` : "";
    const name = `“${data.tokens[token]}” · token ${token + 1}${which}`;
    const left = data.kept.findIndex((kept) => !kept[token]);
    if (layer === null) return left < 0 ? `${name}\nstays to the end` : `${name}\nleaves in layer ${left + 1}`;
    const share = data.importance[layer][token];
    if (share === null) return `${name}\nleft in layer ${left + 1}`;
    const [entering] = counts(this.exact[layer]);
    const got = `${name}\nlayer ${layer + 1}: ${percent(share)} of all attention, ${ratio(share * entering)} the average`;
    const least = data.thresholds[layer];
    if (!least) return `${got}\nstays: nothing is pruned here`;
    if (!data.kept[layer][token]) return `${got}\nleaves: less than ${percent(least)}`;
    if (share < least) return `${got}\nstays: the classifier reads this token, so it never leaves`;
    return `${got}\nstays: at least ${percent(least)}`;
  }

  open(at) {
    if (at?.inside && !this.suppressClick) this.send("open", { layer: at.layer + 1, token: at.token + 1 });
  }

  walk(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const at = this.cell ?? { layer: 0, token: 0 };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.open({ ...at, inside: true });
    }
    if (!by) return;
    event.preventDefault();
    const inside = (value, size) => Math.max(0, Math.min(size - 1, value));
    const first = !this.cell;
    this.cell = {
      layer: inside(at.layer + (first ? 0 : by[0]), this.data.kept.length),
      token: inside(at.token + (first ? 0 : by[1]), this.data.tokens.length),
    };
    const box = this.map.box(this.cell.layer, this.cell.token);
    const svg = this.find(".map").getBoundingClientRect();
    this.tell(this.cell.token, this.cell.layer, { clientX: svg.left + box.x, clientY: svg.top + box.y + box.height });
    this.say(this.describe(this.cell.token, this.cell.layer));
  }

  outcome() {
    const after = this.data.kept.map((kept) => kept.filter(Boolean).length);
    return `${after.at(-1)} of ${this.data.tokens.length} tokens reach the end. After each layer: ${after.join(", ")}.`;
  }

  say(text) {
    this.find(".spoken").textContent = text;
  }

  titleOf(figure) {
    return figure === "map" ? this.data.finding : "Share of attention of each token, and the thresholds";
  }

  save(svg, figure, format) {
    saveFigure([svg], this.titleOf(figure), figure === "map" ? "survival-map" : "threshold-board", format);
  }
}

function same(one, other) {
  return one.length === other.length && one.every((value, index) => Math.abs(value - other[index]) <= 1e-9);
}
