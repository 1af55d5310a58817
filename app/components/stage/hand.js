// The hand on the lines: dragged by the handle with any pointer, by the line itself with a mouse, moved by keys. What a move
// does to the stage is the stage's: `stage.try(…)` shows what is tried, `stage.release()` asks for its exact result.

import { counts, moved, stepped } from "./fate.js";
import { Link } from "./link.js";
import { HANDLE } from "./rows.js";
import { thresholdWords } from "./scale.js";
import { set } from "./svg.js";

const REACH = 7; // px: how near to a line a mouse takes hold of it
const FINGER = 38; // px: how high a handle is for a finger
const UNSAID = 800; // ms after a key: a screen reader may send no keyup
const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
const ENDS = { Home: 0, End: 1 };

export class Hand {
  constructor(stage) {
    this.stage = stage;
    this.sliders = [];
    this.link = new Link();
    this.drag = null; // {moved} while something is held
    this.keys = false; // whether keys have moved a line that is not released yet
    this.dragged = false; // whether the click that comes now is the end of a drag
  }

  get busy() {
    return Boolean(this.drag) || this.keys;
  }

  get mode() {
    return this.stage.find("input[name=mode]:checked").value;
  }

  stop() {
    clearTimeout(this.timer);
    for (const slider of this.sliders) slider.remove();
  }

  /** As many handles as the rows have lines that can be moved, beside them. */
  stand(rows, data) {
    const layers = data.fixed ? 0 : data.kept.length; // without a slider nothing takes hold of a line
    while (this.sliders.length > layers) this.sliders.pop().remove();
    while (this.sliders.length < layers) this.sliders.push(this.make(this.sliders.length));
    this.size = rows.handleSize(matchMedia("(pointer: coarse)").matches ? FINGER : HANDLE);
    for (const slider of this.sliders) {
      slider.style.left = `${rows.left + rows.lane + 9}px`;
      slider.style.setProperty("--handle", `${this.size}px`);
    }
  }

  make(layer) {
    const slider = document.createElement("div");
    const about = { role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": 0,
      "aria-valuemax": 100, "aria-label": `Threshold of layer ${layer + 1}`, "data-layer": layer + 1, class: "slider",
      "data-testid": `stage-handle-${layer + 1}` };
    set(slider, about);
    slider.addEventListener("pointerdown", (event) => this.grab(layer, slider, event, 0));
    slider.addEventListener("keydown", (event) => this.key(layer, event));
    slider.addEventListener("keyup", () => this.keys && this.letGo());
    slider.addEventListener("blur", () => this.keys && this.letGo());
    this.stage.find(".board").append(slider);
    return slider;
  }

  show(rows, data, { thresholds, states, source }) {
    this.sliders.forEach((slider, layer) => {
      const value = thresholds[layer];
      const [before, after] = counts(states[layer]);
      slider.style.top = `${rows.handleY(layer, value, this.size)}px`;
      const acts = data.factor < 1 && value > 0
        ? `, which acts as ${thresholdWords(value * data.factor)} on this long text` : "";
      const leaving = `${before - after} of ${before} tokens ${source === "preview" ? "would leave" : "leave"} here`;
      set(slider, {
        "aria-valuenow": Number((value * 100).toPrecision(4)),
        "aria-valuetext": `${thresholdWords(value)}${acts}, ${leaving}`,
      });
      slider.textContent = thresholdWords(value * data.factor);
    });
  }

  /** The layer whose line a mouse at a point would take, or -1. */
  lineAt([x, y]) {
    const { rows, thresholds } = this.stage;
    return this.sliders.length ? rows.lineAt(x, y, thresholds, REACH) : -1;
  }

  grabLine(event) {
    this.dragged = false;
    if (event.pointerType !== "mouse") return;
    const at = this.stage.place(event);
    const layer = this.lineAt(at);
    if (layer >= 0) this.grab(layer, this.stage.svg, event, this.stage.rows.systemShift(layer, at[1]));
  }

  grab(layer, target, event, shift) {
    const { stage } = this;
    if (event.button) return;
    event.preventDefault();
    stage.clock.go(stage.data.kept.length);
    this.sliders[layer].focus({ preventScroll: true });
    target.setPointerCapture(event.pointerId);
    const start = stage.thresholds;
    const [mode, base] = [this.mode, this.link.base(start)];
    const taken = stage.place(event)[1];
    const from = taken - shift - stage.rows.lineY(layer, start[layer]); // where on the handle
    this.drag = { moved: false };
    this.hold(true);
    const move = (at) => {
      const y = stage.place(at)[1];
      if (!this.drag.moved && Math.abs(y - taken) < 2) return;
      this.drag.moved = true;
      stage.follow(moved(start, layer, stage.rows.threshold(layer, y - shift - from), mode, base));
    };
    const end = (at) => {
      for (const [name, handler] of Object.entries(handlers)) target.removeEventListener(name, handler);
      const changed = this.drag.moved && at.type === "pointerup";
      this.dragged = this.drag.moved || target !== stage.svg;
      this.drag = null;
      this.hold(false);
      if (!changed) return stage.try(null);
      if (mode === "linked") this.link.keep(base, layer, stage.thresholds);
      stage.release();
    };
    const handlers = { pointermove: move, pointerup: end, pointercancel: end };
    for (const [name, handler] of Object.entries(handlers)) target.addEventListener(name, handler);
  }

  /** Keep the size of all parts while words in them change: what is dragged may not move away, and no part is laid out for another. */
  hold(on) {
    const parts = [".head", ".board", ".foot"].map(this.stage.find);
    const heights = parts.map((part) => (on ? `${part.getBoundingClientRect().height / this.stage.zoom}px` : ""));
    parts.forEach((part, index) => (part.style.height = heights[index]));
    this.stage.box.classList.toggle("held", on);
  }

  key(layer, event) {
    const { thresholds, data } = this.stage;
    let value;
    if (event.key in STEPS) value = stepped(thresholds[layer], data.steps, STEPS[event.key]);
    else if (event.key in ENDS) value = ENDS[event.key];
    else return;
    event.preventDefault();
    this.keys = true;
    const base = this.link.base(thresholds);
    const trial = moved(thresholds, layer, value, this.mode, base);
    if (this.mode === "linked") this.link.keep(base, layer, trial);
    this.stage.try(trial);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keys && this.letGo(), UNSAID);
  }

  letGo() {
    this.keys = false;
    this.stage.release();
  }
}
