// Looking: a word is lit under the pointer or by arrow keys, with what happened to it and who looks at it; a click, or Enter, opens
// Why. Other figures hear of it, and the stage of theirs, by "ltp-token" on the document.

import { drawArcs } from "./arcs.js";
import { describe, describeCurve } from "./describe.js";

const WAYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class Look {
  constructor(stage) {
    this.stage = stage;
    this.cell = null; // {layer, token} where the keys are
    this.token = undefined; // the one that is lit
  }

  under(event) {
    const [x, y] = this.stage.place(event);
    return this.stage.rows.at(x, y) ?? this.stage.prose?.at(x, y) ?? null;
  }

  hover(event) {
    const { hand, svg } = this.stage;
    if (hand.drag) return;
    const at = this.under(event);
    const line = event.pointerType === "mouse" && hand.lineAt(this.stage.place(event)) >= 0;
    svg.style.cursor = line ? "ns-resize" : at ? "pointer" : "default";
    this.tell(at?.token ?? null, at?.layer ?? null, event);
    if (!at) this.nameCurve(event);
  }

  nameCurve(event) {
    const { rows, curves, data } = this.stage;
    const layer = rows.curveAt(...this.stage.place(event));
    if (curves[layer]) this.tip(describeCurve(data, layer, curves[layer]), event);
  }

  tell(token, layer, event) {
    this.light(token, layer, event);
    document.dispatchEvent(new CustomEvent("ltp-token", { detail: { token, layer, from: this } }));
  }

  light(token, layer, event) {
    const { rows, prose, data } = this.stage;
    if (!rows || (token !== null && token >= data.tokens.length)) return;
    rows.light(token, layer);
    prose?.light(token);
    this.token = token ?? undefined;
    this.arc(token, layer);
    if (token === null || !event) this.stage.find(".tip").hidden = true;
    else this.tip(describe(data, this.stage.exact, token, layer) + this.lookers(token, layer), event);
  }

  /** Words in a box beside the pointer. */
  tip(text, event) {
    const { find, box, zoom } = this.stage;
    const tip = find(".tip");
    tip.hidden = false;
    tip.textContent = text;
    const around = box.getBoundingClientRect();
    const [x, y] = [(event.clientX - around.left) / zoom, (event.clientY - around.top) / zoom];
    tip.style.left = `${Math.max(0, Math.min(x + 14, around.width / zoom - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 22}px`;
  }

  givers(token, layer) {
    const { attention, trial } = this.stage;
    if (token === null || layer === null || !attention || trial.thresholds) return [];
    return attention[layer].lookingAt(token);
  }

  arc(token, layer) {
    const { rows } = this.stage;
    rows.arcs.replaceChildren();
    const givers = this.givers(token, layer);
    if (givers.length) drawArcs(rows, layer, token, givers);
  }

  /** The arcs of the lit word, in a layer that is just played. */
  played(layer) {
    if (this.token !== undefined) this.arc(this.token, layer);
  }

  /** Who looks most at a word. */
  lookers(token, layer) {
    const most = this.givers(token, layer).filter((giver) => giver.token !== token).slice(0, 3);
    if (!most.length) return "";
    const named = most.map((giver) => `“${this.stage.data.tokens[giver.token]}” (${Math.round(giver.share * 100)} %)`);
    return `\nmost from ${named.join(", ")}`;
  }

  open(at) {
    const { hand, prose, exact, send } = this.stage;
    if (!at || hand.dragged) return;
    const layer = at.layer ?? prose.layerOf(exact, at.token);
    send("open", { layer: layer + 1, token: at.token + 1 });
  }

  walk(event) {
    const { data, rows, svg, zoom, hand } = this.stage;
    const by = WAYS[event.key];
    const at = this.cell ?? { layer: 0, token: 0 };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      hand.dragged = false;
      return this.open(at);
    }
    if (event.key === "Escape") return this.tell(null, null, null);
    if (!by) return;
    event.preventDefault();
    const inside = (value, size) => Math.max(0, Math.min(size - 1, value));
    const first = !this.cell;
    this.cell = {
      layer: inside(at.layer + (first ? 0 : by[0]), data.kept.length),
      token: inside(at.token + (first ? 0 : by[1]), data.tokens.length),
    };
    const box = rows.box(this.cell.layer, this.cell.token);
    const around = svg.getBoundingClientRect();
    this.tell(this.cell.token, this.cell.layer, {
      clientX: around.left + box.x * zoom, clientY: around.top + (box.y + box.height) * zoom,
    });
    this.stage.say(this.stage.find(".tip").textContent);
  }
}
