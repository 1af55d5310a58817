// Thresholds that are one press away: settings of the model that have a name, all off, and what was before.

import { namedSettings, same } from "./fate.js";
import { set } from "./svg.js";

export class Presets {
  /**
   * @param find in the stage.
   * @param ask called with the thresholds that are wanted.
   * @param undo called for the last ones.
   */
  constructor(find, ask, undo) {
    Object.assign(this, { find, ask });
    find(".undo").onclick = undo;
  }

  show(data) {
    const off = this.find(".off-all");
    this.find(".presets").hidden = data.fixed;
    off.disabled = data.thresholds.every((value) => value === 0);
    off.onclick = () => this.ask(data.thresholds.map(() => 0));
    this.find(".undo").disabled = !data.undo;
    this.chips(data);
  }

  /** A chip stays where it is, so that focus does. */
  chips(data) {
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
}
