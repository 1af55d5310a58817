// The room that the page gives to the stage, measured; fit.js decides what to make of it.

import { choose, layout, sizes } from "./fit.js";
import { FONT } from "./layout.js";
import { PROSE_FONT, PROSE_WEIGHT } from "./prose.js";
import { measured } from "./svg.js";

const FAR = 0.4; // of the window's height: where the stage begins farther down one scrolls to it anyway
const BELOW = 18; // px between foot, tools, and the end of the window
const NO_ROOM = 100; // px wide: a stage that is not shown
const SHIFTED = 2; // px: what stands above it has become higher or lower

export class Room {
  constructor(find) {
    this.find = find;
    this.box = find(".stage");
    this.began = 0;
  }

  /** How much larger the page shows the stage than it is drawn, as the large view for a class does. */
  get zoom() {
    return Math.round((100 * this.box.getBoundingClientRect().width) / this.box.offsetWidth) / 100 || 1;
  }

  /** What a layout depends on besides the data. */
  get size() {
    const begins = this.begins();
    if (Math.abs(begins - this.began) >= SHIFTED) this.began = begins;
    return `${Math.round(this.box.getBoundingClientRect().width)} ${window.innerWidth} ${window.innerHeight} ${this.began}`;
  }

  /** How far down the page the stage begins, px; 0 where that is so far that one scrolls to it. */
  begins() {
    const scroller = document.querySelector("[data-testid=stMain]");
    const begins = this.box.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    return begins < FAR * window.innerHeight ? begins : 0;
  }

  /** The layout in which all is in view, as large as the page wants it and the window takes; null where there is no room at all. */
  plan(data, grid, curves) {
    const style = getComputedStyle(this.box);
    const most = Number(style.getPropertyValue("--ltp-zoom")) || 1; // the page's wish, for a class
    const under = parseFloat(style.getPropertyValue("--ltp-under")) || 0; // px of the page's own line at the window's foot
    const text = this.text(data, grid, curves, style.fontFamily);
    const tried = sizes(most).map((zoom) => ({ zoom, plan: this.at(zoom, text, under) }));
    if (tried.some(({ plan }) => plan === null)) return null;
    const { zoom, plan } = choose(tried);
    this.show(zoom);
    this.box.classList.toggle("scrolls", !plan.inView);
    this.box.style.setProperty("--under", `${under / this.zoom}px`);
    return plan;
  }

  text(data, grid, curves, family) {
    return {
      layers: data.kept.length, grid, curves, pair: data.segments.includes(1),
      widths: measured(data.tokens, FONT, family), glued: data.pieces.map((piece) => piece.glued),
      proseWidths: measured(data.pieces.map((piece) => piece.text), PROSE_FONT, family, PROSE_WEIGHT),
    };
  }

  show(zoom) {
    this.box.style.zoom = zoom === 1 ? "" : zoom;
  }

  at(zoom, text, under) {
    this.show(zoom);
    const width = Math.floor(this.find(".board").getBoundingClientRect().width / this.zoom);
    if (width < NO_ROOM) return null;
    return { ...layout(text, { width, height: this.height(under), zoom: this.zoom }), width, proseWidths: text.proseWidths };
  }

  /** Height for the rows, px of the drawing: the window's, without what stands above and below them. */
  height(under) {
    const head = this.find(".board").getBoundingClientRect().top - this.box.getBoundingClientRect().top;
    const above = head + this.begins();
    const below = this.find(".foot").offsetHeight + this.find(".tools").offsetHeight + BELOW;
    return (window.innerHeight - above - under) / this.zoom - below;
  }
}
