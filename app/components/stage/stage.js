// The stage: draws what the page sends, moves thresholds under pointer and keys, and asks the page for the exact result on
// release. Hovering a token lights it here and in other figures that listen to "ltp-token" on the document; a click
// opens Why.

import { nameButton, saveFigure, download } from "../files.js";
import { Answers } from "./answers.js";
import { Attention, drawArcs } from "./arcs.js";
import { Clock } from "./clock.js";
import { drawCurve } from "./curve.js";
import { counts, moved, namedSettings, previewStates, same, statesOf, stepped } from "./fate.js";
import { FONT, MOST_IN_ROWS, bars, systems } from "./layout.js";
import { Foot } from "./foot.js";
import { Prose, PROSE_FONT, PROSE_WEIGHT } from "./prose.js";
import { describe, margins, Rows } from "./rows.js";
import { thresholdWords } from "./scale.js";
import { announcement, aside, headline } from "./story.js";
import { measured, set } from "./svg.js";
import { csv, stageJson, stageRows } from "./table.js";
import { layerWork, total } from "./work.js";

const stages = new WeakMap(); // a component's root -> its stage: Streamlit calls us again with new data
const PATIENCE = 6000; // ms that a preview waits for its exact result before older ones are shown again
const STALE = 250; // ms that an answer of another frame of this drag stays, until the preview takes over
const IDLE = 700; // ms without a change before curves are asked for
const REACH = 7; // px: how near to a line a mouse takes hold of it
const DEEP = 8; // layers: with more of them rows are low
const BIG_SCREEN = 1400; // px: a projector; words are larger
const NARROW_SCREEN = 640; // px: below, a text of more than one system is prose
const LEGEND = "Bars: share of all attention that a token gets in the layer, on a logarithmic axis. Line: the layer’s " +
  "threshold; a token under it leaves (struck through). Right: the layer’s work, pruned, of what it is dense.";

export default function ({ parentElement, data, setTriggerValue }) {
  if (!stages.has(parentElement)) stages.set(parentElement, new Stage(parentElement));
  const stage = stages.get(parentElement);
  stage.send = setTriggerValue;
  stage.update(data);
  return () => stage.stop();
}

class Stage {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.box = this.find(".stage");
    this.svg = this.find(".drawing");
    this.sliders = [];
    this.curves = [];
    this.frame = null; // the one that will be drawn
    this.answers = new Answers((state) => this.showWhere(state));
    this.foot = new Foot(this.find, () => this.send("measure", Date.now()));
    this.listen();
  }

  listen() {
    this.end = new AbortController();
    const on = (target, name, handler) => target.addEventListener(name, handler, { signal: this.end.signal });
    this.watch = new ResizeObserver(() => this.data && this.fit());
    this.watch.observe(this.box);
    on(window, "resize", () => this.data && this.fit());
    on(document, "ltp-token", ({ detail }) => detail.from !== this && this.light(detail.token, null, null));
    document.fonts?.ready.then(() => this.data && this.fit(true));
    const { svg } = this;
    on(svg, "pointerdown", (event) => this.grabLine(event));
    on(svg, "pointermove", (event) => this.hover(event));
    on(svg, "pointerleave", () => this.tell(null, null, null));
    on(svg, "click", (event) => this.open(this.under(event)));
    const walk = this.find(".walk");
    on(walk, "keydown", (event) => this.walk(event));
    on(walk, "blur", () => this.tell(null, null, null));
    this.find(".play").onclick = () => this.clock.toggle();
    this.find(".scrubber").oninput = (event) => this.clock.go(Number(event.target.value));
    this.find(".off-all").onclick = () => this.ask(this.data.kept.map(() => 0));
    this.find(".undo").onclick = () => this.send("undo", Date.now());
    this.find(".grid-toggle").onclick = () => {
      this.grid = !this.grid;
      this.fit(true);
    };
    for (const format of ["svg", "png", "csv", "json"]) this.find(`.save-${format}`).onclick = () => this.save(format);
  }

  /** Leave the place as it was: Streamlit may put another stage into it. */
  stop() {
    this.end.abort();
    this.watch.disconnect();
    this.clock?.stop();
    this.answers.close();
    clearTimeout(this.idle);
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    for (const slider of this.sliders) slider.remove();
    stages.delete(this.root);
  }

  get mode() {
    return this.find("input[name=mode]:checked").value;
  }

  update(data) {
    const news = JSON.stringify(data);
    if (news === this.news) return;
    this.news = news;
    const other = !this.data || JSON.stringify(this.data.tokens) !== JSON.stringify(data.tokens);
    if (other) {
      this.answered = null;
      this.grid = false;
      this.cell = null;
    }
    if (other || this.data.kept.length !== data.kept.length) this.startClock(data.kept.length);
    this.data = data;
    this.attention = data.attention?.map((layer) => new Attention(layer)) ?? null;
    const late = this.sent && !same(this.sent.thresholds, data.thresholds) && Date.now() - this.sent.at < PATIENCE;
    const awaited = this.sent && !late;
    if (!this.drag && !this.keys && !late) {
      this.trial = null;
      this.answered = null;
      this.sent = null;
    }
    this.exact = statesOf(data.kept);
    this.curves = [];
    this.answers.read(data.live);
    this.prepare();
    this.fit(true);
    if (awaited) this.say(announcement(data, this.exact, data.answers.pruned, this.reduction));
    this.whenIdle();
  }

  /** What depends on the data alone. */
  prepare() {
    const { data } = this;
    this.box.classList.toggle("deep", data.kept.length > DEEP);
    this.find("fieldset").hidden = data.fixed;
    this.find(".presets").hidden = data.fixed;
    this.showNamed();
    this.find(".off-all").disabled = data.thresholds.every((value) => value === 0);
    this.find(".undo").disabled = !data.undo;
    this.svg.setAttribute("aria-label", announcement(data, this.exact, data.answers.pruned, this.reductionOf(this.exact)));
    for (const format of ["svg", "png", "csv", "json"]) nameButton(this.find(`.save-${format}`), format, "the stage");
  }

  /** The settings that have a name, as chips; a chip stays where it is, so that focus does. */
  showNamed() {
    const { data } = this;
    const settings = namedSettings(data);
    const place = this.find(".named");
    const names = settings.map(({ name }) => name).join();
    if (names !== this.names) {
      this.names = names;
      place.replaceChildren(...settings.map(() => document.createElement("button")));
    }
    settings.forEach(({ name, thresholds, about }, index) => {
      const chip = place.children[index];
      set(chip, { type: "button", title: about, "aria-pressed": same(thresholds, data.thresholds) });
      chip.textContent = name;
      chip.onclick = () => this.ask(thresholds);
    });
  }

  startClock(layers) {
    this.clock?.stop();
    this.clock = new Clock(layers, (step, moving) => this.showStep(step, moving));
    set(this.find(".scrubber"), { max: layers });
  }

  /** How much larger the page shows the stage than it is drawn, as the large view for a class does. */
  get zoom() {
    return Math.round((100 * this.box.getBoundingClientRect().width) / this.box.offsetWidth) / 100 || 1;
  }

  /** Draw for the present width and height. */
  fit(anew = false) {
    const width = Math.floor(this.find(".board").getBoundingClientRect().width / this.zoom);
    const size = `${width} ${window.innerHeight}`;
    if (width < 100 || (!anew && size === this.size)) return;
    this.size = size;
    const { data, svg } = this;
    const family = getComputedStyle(this.box).fontFamily;
    const room = ({ left, handle, curve, rail }) => width - left - handle - curve - rail;
    let margin = margins(width, Boolean(data.live));
    let inRows = this.arrange(room(margin), family, width);
    if (inRows.systems.length > 1) {
      margin = margins(width, Boolean(data.live), true);
      inRows = this.arrange(room(margin), family, width);
    }
    svg.replaceChildren();
    let top = 2;
    this.prose = null;
    if (inRows.font === 0) {
      const widths = measured(data.pieces.map(({ text }) => text), PROSE_FONT, family, PROSE_WEIGHT);
      this.prose = new Prose(svg, data, { width, top, widths });
      top = this.prose.bottom;
    }
    const height = this.rowHeight(top, inRows, margin);
    this.rows = new Rows(svg, data, { width, top, margin, arrangement: inRows, height });
    svg.setAttribute("height", this.rows.bottom);
    this.makeSliders();
    this.curves.forEach((points, layer) => drawCurve(this.rows, layer, points));
    this.show();
    this.box.classList.add("drawn");
  }

  /** Words in the rows where they fit, or are asked for; else bars under the text itself. */
  arrange(room, family, width) {
    const { tokens } = this.data;
    const toggle = this.find(".grid-toggle");
    const widths = measured(tokens, FONT, family);
    const most = width < NARROW_SCREEN ? 1 : Infinity;
    const largest = this.data.kept.length > DEEP ? 12 : width * this.zoom > BIG_SCREEN ? 20 : FONT;
    const fits = tokens.length <= MOST_IN_ROWS ? systems(widths, room, most, largest) : null;
    toggle.hidden = Boolean(fits);
    set(toggle, { "aria-pressed": this.grid });
    return fits ?? (this.grid ? systems(widths, room) : bars(tokens.length, room));
  }

  /** As high as lets the whole stage be in view, within limits. */
  rowHeight(top, arrangement, margin) {
    const layers = this.data.kept.length;
    const withWords = arrangement.font > 0;
    const least = (withWords ? (layers > DEEP ? 31 : 46) : 30) + margin.caption;
    if (arrangement.systems.length > 1) return least + 6;
    const scroller = document.querySelector("[data-testid=stMain]");
    const above = (this.find(".board").getBoundingClientRect().top + (scroller?.scrollTop ?? 0)) / this.zoom + top;
    const below = this.find(".foot").offsetHeight + this.find(".tools").offsetHeight + 26;
    const captions = this.data.segments.includes(1) ? 20 : 0;
    const free = (window.innerHeight / this.zoom - above - below - captions) / layers;
    return Math.floor(Math.max(least, Math.min(withWords ? 100 : 64, free)));
  }

  get thresholds() {
    return this.trial ?? this.data.thresholds;
  }

  /** What is on the stage: the server's run, an answer of this frame, or a preview. */
  run() {
    const { data } = this;
    const { thresholds } = this;
    if (this.trial === null || same(this.trial, data.thresholds))
      return { thresholds, states: this.exact, importance: data.importance, answer: data.answers.pruned, source: "exact" };
    const answered = this.answered;
    const importance = answered?.importance ?? data.importance;
    if (answered && same(answered.thresholds, thresholds))
      return { thresholds, states: statesOf(answered.kept), importance, answer: answered, source: answered.source };
    // The line is where it is: who falls under it follows from the importance of the last answer, until the next one comes.
    const states = previewStates({ ...data, importance }, thresholds);
    if (answered && this.drag && Date.now() - answered.at < STALE)
      return { thresholds, states, importance, answer: answered, source: answered.source };
    return { thresholds, states, importance, answer: null, source: "preview" };
  }

  reductionOf(states) {
    const sum = total(this.workOf(states));
    return sum.dense / sum.pruned;
  }

  workOf(states) {
    const { size, tokens } = this.data;
    return states.map((row, layer) => ({
      dense: layerWork(size, layer, tokens.length, tokens.length), pruned: layerWork(size, layer, ...counts(row)),
    }));
  }

  /** Bring pictures, sliders and words in line with the thresholds. */
  show() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const { data, exact } = this;
    const run = this.run();
    const preview = run.source === "preview";
    this.states = run.states;
    const shares = run.importance.map((row, layer) => row.map((share, token) => share ?? data.dense[layer][token]));
    const work = this.workOf(run.states);
    this.work = work;
    this.reduction = total(work).dense / total(work).pruned;
    this.rows.show({ thresholds: run.thresholds, states: run.states, shares, work, exact, preview });
    this.box.classList.toggle("previewing", preview);
    this.box.classList.toggle("answering", !preview && run.source !== "exact");
    this.showHeadline(run);
    this.foot.show({ data, run, work, step: this.clock.step, sent: Boolean(this.sent), waits: this.waits() });
    this.showSliders(run);
    this.showStep(this.clock.step, false);
  }

  showHeadline({ states, answer, source }) {
    const line = this.find(".headline");
    const parts = headline(this.data, states, answer, this.reduction);
    if (source === "preview") parts.unshift({ text: "Preview: " });
    const words = document.createElement("span");
    line.replaceChildren(words);
    words.append(...parts.map(({ text, kind }) => {
      const part = document.createElement("span");
      part.textContent = text;
      if (kind) part.className = kind;
      return part;
    }));
    this.find(".case").textContent = this.data.note;
    const more = aside(this.data, states);
    this.find(".aside").textContent = more;
    this.find(".aside").hidden = !more;
  }

  showSliders({ thresholds, states, source }) {
    this.sliders.forEach((slider, layer) => {
      const value = thresholds[layer];
      const [before, after] = counts(states[layer]);
      slider.style.top = `${this.rows.lineY(layer, value)}px`;
      const acts = this.data.factor < 1 && value > 0
        ? `, which acts as ${thresholdWords(value * this.data.factor)} on this long text` : "";
      const leaving = `${before - after} of ${before} tokens ${source === "preview" ? "would leave" : "leave"} here`;
      set(slider, {
        "aria-valuenow": Number((value * 100).toPrecision(4)),
        "aria-valuetext": `${thresholdWords(value)}${acts}, ${leaving}`,
      });
      slider.textContent = thresholdWords(value * this.data.factor);
    });
  }

  makeSliders() {
    const layers = this.data.fixed ? 0 : this.data.kept.length; // without a slider nothing takes hold of a line
    while (this.sliders.length > layers) this.sliders.pop().remove();
    while (this.sliders.length < layers) this.sliders.push(this.makeSlider(this.sliders.length));
    const height = Math.min(28, this.rows.height - 6);
    for (const slider of this.sliders) {
      slider.style.left = `${this.rows.left + this.rows.lane + 9}px`;
      slider.style.setProperty("--handle", `${height}px`);
    }
  }

  makeSlider(layer) {
    const slider = document.createElement("div");
    const about = { role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": 0,
      "aria-valuemax": 100, "aria-label": `Threshold of layer ${layer + 1}`, "data-layer": layer + 1, class: "slider",
      "data-testid": `stage-handle-${layer + 1}` };
    set(slider, about);
    slider.addEventListener("pointerdown", (event) => this.grab(layer, slider, event, 0));
    slider.addEventListener("keydown", (event) => this.key(layer, event));
    slider.addEventListener("keyup", () => this.keys && this.release());
    slider.addEventListener("blur", () => this.keys && this.release());
    this.find(".board").append(slider);
    return slider;
  }

  // Time.

  showStep(step, moving) {
    if (!this.rows) return;
    const layers = this.data.kept.length;
    this.rows.play(step, moving);
    this.prose?.show(this.states, step);
    this.foot.showStep(this.work, step, layers);
    const play = this.find(".play");
    play.textContent = this.clock.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", this.clock.playing ? "Pause" : "Play the layers");
    set(this.find(".scrubber"), { "aria-valuetext": step === 0 ? "before layer 1" : `up to layer ${step} of ${layers}` });
    this.find(".scrubber").value = step;
    this.find(".step").textContent = step >= layers ? "all layers" : step === 0 ? "before layer 1" : `layer ${step}`;
    if (moving && this.looked !== undefined) this.arc(this.looked, step - 1);
  }

  // Dragging: by the handle with any pointer, or by the line itself with a mouse.

  grabLine(event) {
    this.suppressClick = false;
    if (event.pointerType !== "mouse" || !this.sliders.length) return;
    const [x, y] = this.place(event);
    const layer = this.rows.lineAt(x, y, this.thresholds, REACH);
    if (layer >= 0) this.grab(layer, this.svg, event, this.rows.systemShift(layer, y));
  }

  grab(layer, target, event, shift) {
    if (event.button) return;
    event.preventDefault();
    this.clock.go(this.data.kept.length);
    this.sliders[layer].focus({ preventScroll: true });
    target.setPointerCapture(event.pointerId);
    const start = this.thresholds;
    const from = this.place(event)[1] - shift - this.rows.lineY(layer, start[layer]); // where the handle was taken
    this.drag = { moved: false };
    this.hold(true);
    const move = (at) => {
      const y = this.place(at)[1] - shift - from;
      if (!this.drag.moved && Math.abs(this.place(at)[1] - this.place(event)[1]) < 2) return;
      this.drag.moved = true;
      this.trial = moved(start, layer, this.rows.threshold(layer, y), this.mode);
      this.soon();
      this.askLive(this.trial);
    };
    const end = (at) => {
      for (const [name, handler] of Object.entries(handlers)) target.removeEventListener(name, handler);
      const changed = this.drag.moved && at.type === "pointerup";
      this.suppressClick = this.drag.moved || target !== this.svg; // the click that follows is the end of this drag
      this.drag = null;
      this.hold(false);
      if (changed) this.release();
      else this.try(null);
    };
    const handlers = { pointermove: move, pointerup: end, pointercancel: end };
    for (const [name, handler] of Object.entries(handlers)) target.addEventListener(name, handler);
  }

  /** Keep the size of all parts while words in them change: what is dragged may not move away, and no part is laid out for another. */
  hold(on) {
    const parts = [".headline", ".head", ".board", ".foot"].map(this.find);
    const heights = parts.map((part) => (on ? `${part.offsetHeight}px` : ""));
    parts.forEach((part, index) => (part.style.height = heights[index]));
    this.box.classList.toggle("held", on);
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
    this.tellPreview();
    if (thresholds) this.askLive(thresholds);
  }

  /** Draw with the next frame: moves and answers that come within one are drawn together. */
  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.show();
      this.tellPreview();
    });
  }

  tellPreview() {
    this.box.dispatchEvent(new CustomEvent("ltp-preview", { bubbles: true, composed: true }));
  }

  async askLive(thresholds) {
    const answer = await this.answers.answer(thresholds);
    if (!answer || !this.trial || answer.kept[0]?.length !== this.data.tokens.length) return;
    this.answered = { ...answer, at: Date.now() };
    if (this.drag) this.soon();
    else this.show();
  }

  /** Ask the page for the exact result of the trial. */
  release() {
    this.keys = false;
    if (!this.trial || same(this.trial, this.data.thresholds)) return this.try(null);
    this.ask(this.trial);
  }

  ask(thresholds) {
    this.clock.go(this.data.kept.length);
    this.trial = thresholds;
    this.sent = { thresholds, at: Date.now() };
    this.show();
    this.send("release", thresholds);
  }

  // When all stands still.

  whenIdle() {
    clearTimeout(this.idle);
    if (this.data.live) this.idle = setTimeout(() => this.askTimes().then(() => this.askCurves()), IDLE);
  }

  /** Times of this browser, where the visitor wants these. */
  async askTimes() {
    const { news, data } = this;
    if (!data.timing || this.drag || this.keys || this.timing === news) return;
    this.timing = news;
    const times = await this.answers.time(data.thresholds, data.timing === "longer");
    if (this.timing === news) this.timing = null; // without times it is tried again when the browser has the model
    if (times && this.news === news) this.send("timed", times.rounds);
  }

  async askCurves() {
    const { news, data } = this;
    for (let layer = 0; layer < data.kept.length; layer += 1) {
      if (this.drag || this.keys || this.news !== news) return;
      const points = await this.answers.curve(layer + 1, data.thresholds);
      if (this.news !== news) return;
      this.curves[layer] = points;
      drawCurve(this.rows, layer, points);
    }
  }

  showWhere({ where, loading, why }) {
    const names = { browser: "Live in this browser", server: "Live on the server", nowhere: "" };
    const text = loading !== null && loading < 1 ? `Loading model: ${Math.round(loading * 100)} %` : names[where];
    this.find(".where").textContent = text;
    this.find(".where").title = why ?? "";
    if (!this.rows) return;
    this.show();
    this.whenIdle();
  }

  /** What is said where times will stand. */
  waits() {
    const { where, loading, why } = this.answers.state;
    if (!this.data.timing) return "";
    if (where === "browser") return "Time: this browser measures …";
    return loading === null ? `Time: none of this browser. ${why}` : "Time: this browser loads the model …";
  }

  // Looking: hover and click with a pointer, arrows and Enter by keyboard.

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / this.zoom, (event.clientY - box.top) / this.zoom];
  }

  under(event) {
    const [x, y] = this.place(event);
    return this.rows.at(x, y) ?? this.prose?.at(x, y) ?? null;
  }

  hover(event) {
    if (this.drag) return;
    const at = this.under(event);
    const [x, y] = this.place(event);
    const line = event.pointerType === "mouse" && this.sliders.length && this.rows.lineAt(x, y, this.thresholds, REACH) >= 0;
    this.svg.style.cursor = line ? "ns-resize" : at ? "pointer" : "default";
    this.tell(at?.token ?? null, at?.layer ?? null, event);
  }

  tell(token, layer, event) {
    this.light(token, layer, event);
    document.dispatchEvent(new CustomEvent("ltp-token", { detail: { token, layer, from: this } }));
  }

  light(token, layer, event) {
    if (!this.rows || (token !== null && token >= this.data.tokens.length)) return;
    this.rows.light(token, layer);
    this.prose?.light(token);
    this.looked = token ?? undefined;
    this.arc(token, layer);
    const tip = this.find(".tip");
    tip.hidden = token === null || !event;
    if (tip.hidden) return;
    tip.textContent = describe(this.data, this.exact, token, layer) + this.lookers(token, layer);
    const { zoom } = this, box = this.box.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom];
    tip.style.left = `${Math.max(0, Math.min(x + 14, box.width / zoom - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 22}px`;
  }

  givers(token, layer) {
    if (token === null || layer === null || !this.attention || this.trial) return [];
    return this.attention[layer].lookingAt(token);
  }

  arc(token, layer) {
    this.rows.arcs.replaceChildren();
    const givers = this.givers(token, layer);
    if (givers.length) drawArcs(this.rows, layer, token, givers);
  }

  /** Who looks most at a word. */
  lookers(token, layer) {
    const most = this.givers(token, layer).filter((giver) => giver.token !== token).slice(0, 3);
    if (!most.length) return "";
    const named = most.map((giver) => `“${this.data.tokens[giver.token]}” (${Math.round(giver.share * 100)} %)`);
    return `\nmost from ${named.join(", ")}`;
  }

  open(at) {
    if (!at || this.suppressClick) return;
    const layer = at.layer ?? this.prose.layerOf(this.exact, at.token);
    this.send("open", { layer: layer + 1, token: at.token + 1 });
  }

  walk(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const at = this.cell ?? { layer: 0, token: 0 };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.suppressClick = false;
      return this.open(at);
    }
    if (event.key === "Escape") return this.tell(null, null, null);
    if (!by) return;
    event.preventDefault();
    const inside = (value, size) => Math.max(0, Math.min(size - 1, value));
    const first = !this.cell;
    this.cell = {
      layer: inside(at.layer + (first ? 0 : by[0]), this.data.kept.length),
      token: inside(at.token + (first ? 0 : by[1]), this.data.tokens.length),
    };
    const box = this.rows.box(this.cell.layer, this.cell.token);
    const svg = this.svg.getBoundingClientRect();
    this.tell(this.cell.token, this.cell.layer, {
      clientX: svg.left + box.x * this.zoom, clientY: svg.top + (box.y + box.height) * this.zoom,
    });
    this.say(this.find(".tip").textContent);
  }

  say(text) {
    this.find(".spoken").textContent = text;
  }

  // Files hold the server's run, also while a preview is on the stage.

  save(format) {
    const { data } = this;
    const work = this.workOf(this.exact);
    const title = headline(data, this.exact, data.answers.pruned, this.reductionOf(this.exact)).map(({ text }) => text).join("");
    const name = "ltp-stage";
    if (format === "csv") return download(new Blob([csv(stageRows(data, title, LEGEND))], { type: "text/csv" }), `${name}.csv`);
    if (format === "json") {
      const text = JSON.stringify(stageJson(data, title, LEGEND, work), null, 1);
      return download(new Blob([text], { type: "application/json" }), `${name}.json`);
    }
    const probe = (selector, property) => getComputedStyle(this.find(selector))[property];
    const legend = [
      { swatch: probe(".key-stays", "backgroundColor"), text: "stays" },
      { swatch: probe(".key-leaves", "backgroundColor"), text: "leaves" },
    ];
    const notes = [this.foot.summary(data, this.reductionOf(this.exact)), LEGEND];
    return saveFigure([this.svg], { title, notes, legend }, name, format);
  }
}
