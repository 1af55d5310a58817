// Beside a Plotly figure: save it as SVG or PNG, and light the token under the pointer in the other figures of the
// page, as they light it here ("ltp-token" on the document). Reads the place of columns from Plotly's layout.

import { nameButton, saveFigure } from "../files.js";
import { standing } from "../standing.js";

export default function ({ parentElement, data }) {
  return standing(parentElement, (root) => new Tools(root), (tools) => {
    tools.data = data;
    tools.name();
    tools.listen();
  });
}

class Tools {
  constructor(root) {
    this.root = root;
    for (const format of ["svg", "png"])
      root.querySelector(`.${format}`).onclick = () => {
        const chart = this.chart();
        if (chart) saveFigure([...chart.querySelectorAll(".main-svg")], { title: this.data.title }, this.data.name, format);
      };
    this.watch = new ResizeObserver(() => this.reach());
    this.onToken = ({ detail }) => detail.from !== this && this.light(detail.token);
    this.onMove = (event) => this.tell(this.tokenAt(event));
    this.onLeave = () => this.tell(null);
    document.addEventListener("ltp-token", this.onToken);
  }

  name() {
    for (const format of ["svg", "png"]) nameButton(this.root.querySelector(`.${format}`), format, this.data.title);
  }

  get box() {
    return document.querySelector(`.st-key-${this.data.name}`);
  }

  chart() {
    const chart = this.box?.querySelector(".js-plotly-plot");
    return chart?._fullLayout?.xaxis ? chart : null;
  }

  /** A figure that is wider than its place scrolls, also by keyboard. */
  reach() {
    const box = this.box;
    if (!box) return;
    const about = { tabindex: 0, role: "group", "aria-label": this.data.title };
    for (const [name, value] of Object.entries(about))
      if (box.scrollWidth > box.clientWidth) box.setAttribute(name, value);
      else box.removeAttribute(name);
  }

  listen() {
    if (this.box) for (const place of [this.box, ...this.box.children]) this.watch.observe(place); // the figure may come later
    if (!this.data.columns || this.listening === this.box) return;
    this.listening = this.box;
    this.listening.addEventListener("pointermove", this.onMove);
    this.listening.addEventListener("pointerleave", this.onLeave);
  }

  stop() {
    this.watch.disconnect();
    document.removeEventListener("ltp-token", this.onToken);
    this.listening?.removeEventListener("pointermove", this.onMove);
    this.listening?.removeEventListener("pointerleave", this.onLeave);
  }

  tokenAt(event) {
    const chart = this.chart();
    if (!chart) return null;
    const axis = chart._fullLayout.xaxis;
    const column = Math.round(axis.p2d(event.clientX - chart.getBoundingClientRect().left - axis._offset));
    return this.data.columns[column] ?? null;
  }

  tell(token) {
    this.light(token);
    document.dispatchEvent(new CustomEvent("ltp-token", { detail: { token, layer: null, from: this } }));
  }

  light(token) {
    const chart = this.data.columns && this.chart();
    if (!chart) return;
    const column = token === null ? -1 : this.data.columns.indexOf(token);
    let light = chart.querySelector(".ltp-light");
    if (!light) {
      light = document.createElement("div");
      light.className = "ltp-light";
      chart.querySelector(".svg-container").append(light);
    }
    light.hidden = column < 0;
    if (light.hidden) return;
    const { xaxis, yaxis } = chart._fullLayout;
    const [from, to] = [xaxis.d2p(column - 0.5), xaxis.d2p(column + 0.5)];
    const place = { left: xaxis._offset + from, width: to - from, top: yaxis._offset, height: yaxis._length };
    for (const [name, value] of Object.entries(place)) light.style[name] = `${value}px`;
  }
}
