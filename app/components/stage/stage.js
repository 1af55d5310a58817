// The stage: draws what the page sends, moves thresholds under pointer and keys, and asks the page for the exact result on
// release. Hovering a token lights it here and in other figures that listen to "ltp-token" on the document; a click
// opens Why.

import { nameButton } from "../files.js";
import { standing } from "../standing.js";
import { Answers } from "./answers.js";
import { Attention } from "./arcs.js";
import { Clock } from "./clock.js";
import { drawCurve } from "./curve.js";
import { counts, same, statesOf } from "./fate.js";
import { isDeep, TOP } from "./fit.js";
import { Foot } from "./foot.js";
import { Hand } from "./hand.js";
import { Idle } from "./idle.js";
import { Lab } from "./lab.js";
import { Look } from "./look.js";
import { Presets } from "./presets.js";
import { Prose } from "./prose.js";
import { Room } from "./room.js";
import { Rows, TALL } from "./rows.js";
import { saveStage } from "./save.js";
import { Steady } from "./steady.js";
import { announcement, aside, headline } from "./story.js";
import { set } from "./svg.js";
import { Trial } from "./trial.js";
import { layerWork, total } from "./work.js";

const SHADES = "The stronger a word’s shade, the longer it is read.";

export default function ({ parentElement, data, setTriggerValue }) {
  return standing(parentElement, (root) => new Stage(root), (stage) => {
    stage.send = setTriggerValue;
    stage.update(data);
  });
}

class Stage {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.box = this.find(".stage");
    this.svg = this.find(".drawing");
    this.curves = [];
    this.frame = null; // the one that will be drawn
    this.answers = new Answers((state) => this.showWhere(state));
    this.trial = new Trial();
    this.lab = new Lab();
    this.presets = new Presets(this.find, (thresholds) => this.ask(thresholds), () => this.send("undo", Date.now()));
    this.foot = new Foot(this.find, () => this.send("measure", Date.now()));
    this.idle = new Idle(this);
    this.room = new Room(this.find);
    this.steady = new Steady(this.find);
    this.hand = new Hand(this);
    this.look = new Look(this);
    this.listen();
  }

  listen() {
    this.end = new AbortController();
    const on = (target, name, handler) => target.addEventListener(name, handler, { signal: this.end.signal });
    this.watch = new ResizeObserver(() => this.data && this.fit());
    this.watch.observe(this.box);
    const page = document.querySelector("[data-testid=stMainBlockContainer]"); // it changes with all that stands above
    if (page) this.watch.observe(page);
    on(window, "resize", () => this.data && this.fit());
    for (const change of ["offline", "online"]) on(window, change, () => this.rows && this.show());
    const { hand, look, svg } = this;
    on(document, "ltp-token", ({ detail }) => detail.from !== look && look.light(detail.token, null, null));
    document.fonts?.ready.then(() => this.data && !this.end.signal.aborted && this.fit(true));
    on(svg, "pointerdown", (event) => hand.grabLine(event));
    on(svg, "pointermove", (event) => look.hover(event));
    on(svg, "pointerleave", () => look.tell(null, null, null));
    on(svg, "click", (event) => look.open(look.under(event)));
    const walk = this.find(".walk");
    on(walk, "keydown", (event) => look.walk(event));
    on(walk, "blur", () => look.tell(null, null, null));
    this.find(".play").onclick = () => this.clock.toggle();
    this.find(".scrubber").oninput = (event) => this.clock.go(Number(event.target.value));
    this.find(".grid-toggle").onclick = () => {
      this.grid = !this.grid;
      this.fit(true);
    };
    for (const format of ["svg", "png", "csv", "json"]) this.find(`.save-${format}`).onclick = () => saveStage(this, format);
  }

  /** Leave the place as it was: Streamlit may put another stage into it. */
  stop() {
    this.end.abort();
    this.watch.disconnect();
    this.clock?.stop();
    this.answers.close();
    this.idle.stop();
    this.lab.stop();
    cancelAnimationFrame(this.frame);
    this.hand.stop();
  }

  update(data) {
    const news = JSON.stringify(data);
    if (news === this.news) return;
    this.news = news;
    const other = !this.data || JSON.stringify(this.data.tokens) !== JSON.stringify(data.tokens);
    if (other) {
      this.trial.end();
      this.grid = false;
      this.look.cell = null;
      this.steady.forget();
    }
    if (other || this.data.kept.length !== data.kept.length) this.startClock(data.kept.length);
    this.data = data;
    this.attention = data.attention?.map((layer) => new Attention(layer)) ?? null;
    const awaited = this.trial.meet(data.thresholds, this.hand.busy);
    this.exact = statesOf(data.kept);
    this.curves = [];
    this.answers.read(data.live);
    this.prepare();
    this.fit(true);
    if (awaited) this.say(announcement(data, this.exact, data.answers.pruned, this.reduction));
    this.idle.wait();
  }

  /** What depends on the data alone. */
  prepare() {
    const { data } = this;
    this.box.classList.toggle("deep", isDeep(data.kept.length));
    this.find("fieldset").hidden = data.fixed;
    this.presets.show(data);
    this.svg.setAttribute("aria-label", announcement(data, this.exact, data.answers.pruned, this.reductionOf(this.exact)));
    for (const format of ["svg", "png", "csv", "json"]) nameButton(this.find(`.save-${format}`), format, "the stage");
  }

  startClock(layers) {
    this.clock?.stop();
    this.clock = new Clock(layers, (step, moving) => this.showStep(step, moving));
    set(this.find(".scrubber"), { max: layers });
  }

  /** How much larger the stage is shown than it is drawn. */
  get zoom() {
    return this.room.zoom;
  }

  /** Whether curves are to be expected beside the handles. */
  get mayCurve() {
    return this.data.curves && this.answers.mayDraw;
  }

  /** Draw for the present width and height. */
  fit(anew = false) {
    const { size } = this.room;
    if (!anew && size === this.size) return;
    if (size !== this.size) this.steady.forget();
    this.size = size;
    this.showWords(this.run()); // they take room
    this.curved = this.mayCurve;
    this.box.classList.toggle("curved", this.curved);
    const plan = this.room.plan(this.data, this.grid, this.curved);
    if (plan === null) return;
    this.draw(plan);
    this.show();
    this.box.classList.add("drawn");
  }

  draw({ width, margin, arrangement, prose, height, proseWidths, long }) {
    const { data, svg } = this;
    svg.replaceChildren();
    this.prose = prose ? new Prose(svg, data, { width, top: TOP, widths: proseWidths }) : null;
    this.rows = new Rows(svg, data, { width, top: TOP + prose, margin, arrangement, height });
    svg.setAttribute("height", this.rows.bottom);
    this.box.classList.toggle("low", height < TALL);
    this.find(".grid-toggle").hidden = !long;
    set(this.find(".grid-toggle"), { "aria-pressed": Boolean(this.grid) });
    this.hand.stand(this.rows, data);
    this.curves.forEach((points, layer) => drawCurve(this.rows, layer, points));
  }

  get thresholds() {
    return this.trial.thresholds ?? this.data.thresholds;
  }

  run() {
    return this.trial.shown(this.data, this.exact, Boolean(this.hand.drag));
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
    this.showWords(run);
    const shares = run.importance.map((row, layer) => row.map((share, token) => share ?? data.dense[layer][token]));
    const work = this.workOf(run.states);
    this.work = work;
    this.reduction = total(work).dense / total(work).pruned;
    this.rows.show({ thresholds: run.thresholds, states: run.states, shares, work, exact, preview });
    this.box.classList.toggle("previewing", preview);
    this.box.classList.toggle("answering", !preview && run.source !== "exact");
    this.hand.show(this.rows, data, run);
    this.showStep(this.clock.step, false);
  }

  /** What is said of a run, above and below the rows. */
  showWords(run) {
    this.showHeadline(run);
    const [sent, away] = [Boolean(this.trial.sent), this.lab.away];
    this.foot.show({ data: this.data, run, sent, away, waits: this.waits() });
  }

  showHeadline({ states, answer, source }) {
    const parts = headline(this.data, states, answer, this.reductionOf(states));
    if (source === "preview") parts.unshift({ text: "Preview: " });
    const words = document.createElement("span");
    words.append(...parts.map(({ text, kind }) => {
      const part = document.createElement("span");
      part.textContent = text;
      if (kind) part.className = kind;
      return part;
    }));
    this.steady.change(() => {
      this.find(".headline").replaceChildren(words);
      this.find(".case").textContent = [this.data.note, this.prose ? SHADES : ""].filter(Boolean).join(" ");
    });
    const more = aside(this.data, states);
    this.find(".aside").textContent = more;
    this.find(".aside").hidden = !more;
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
    if (moving) this.look.played(step - 1);
  }

  // What is tried, by hand.

  /** Lines under a pointer: drawn with the next frame, and the model is asked. */
  follow(thresholds) {
    this.trial.thresholds = thresholds;
    this.soon();
    this.askLive(thresholds);
  }

  try(thresholds) {
    this.trial.thresholds = thresholds;
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
    if (!answer || !this.trial.thresholds || answer.kept[0]?.length !== this.data.tokens.length) return;
    this.trial.answer(answer);
    if (this.hand.drag) this.soon();
    else this.show();
  }

  /** Ask the page for the exact result of the trial. */
  release() {
    if (same(this.thresholds, this.data.thresholds)) return this.try(null);
    this.ask(this.thresholds);
  }

  ask(thresholds) {
    this.clock.go(this.data.kept.length);
    this.trial.send(thresholds);
    this.show();
    this.lab.ask(() => this.send("release", thresholds), () => this.awaits());
  }

  /** Whether the page's run is still missing, which is shown as it is now: the lab may have gone, or be back. */
  awaits() {
    if (this.trial.sent && !this.hand.busy) this.show();
    return Boolean(this.trial.sent);
  }

  showWhere({ where, loading, why }) {
    const names = { browser: "Live in this browser", server: "Live on the server", nowhere: why && "Lab out of reach" };
    const text = loading !== null && loading < 1 ? `Loading model: ${Math.round(loading * 100)} %` : names[where];
    this.find(".where").textContent = text;
    this.find(".where").title = why ?? "";
    if (!this.rows) return;
    if (this.curved !== this.mayCurve && !this.hand.busy) this.fit(true); // their room is given back
    else this.show();
    this.idle.wait();
  }

  /** What is said where times will stand. */
  waits() {
    const { where, loading, why } = this.answers.state;
    if (!this.data.timing) return "";
    if (where === "browser") return "Time: this browser measures …";
    return loading === null ? `Time: none of this browser. ${why}` : "Time: this browser loads the model …";
  }

  /** Where a pointer is, px of the drawing. */
  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / this.zoom, (event.clientY - box.top) / this.zoom];
  }

  say(text) {
    this.find(".spoken").textContent = text;
  }
}
