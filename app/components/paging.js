// Arrow keys, Page Up and Page Down page through a list, unless they mean something where the focus is: a threshold, the
// words of the stage, a text. A presenter's remote sends the latter two.

import { standing } from "./standing.js";

const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const OWN_ARROWS = "input, textarea, select, [role=slider], [role=application], [role=radiogroup], [role=tablist], [role=menu], [contenteditable=true]";

export default function ({ parentElement, setTriggerValue }) {
  return standing(parentElement, () => new Keys(), (keys) => (keys.send = setTriggerValue));
}

class Keys {
  constructor() {
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  stop() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const at = event.composedPath()[0];
    if (at instanceof Element && at.closest(OWN_ARROWS)) return;
    event.preventDefault();
    this.send("page", { step, at: Date.now() });
  }
}
