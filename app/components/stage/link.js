// Lines that are dragged together keep their proportions. A line ends at 100 %, and at 0 nothing can be told of proportions; so
// what they were is remembered while linked moves follow each other, and the way back leads where one came from.
// Nothing here touches the page.

import { same } from "./fate.js";

export class Link {
  constructor() {
    this.last = null; // {base, result} of the last linked move
  }

  /** The thresholds whose proportions hold: those before the linked moves that led to `now`, else `now` itself. */
  base(now) {
    return this.last && same(this.last.result, now) ? this.last.base : now;
  }

  /** Remember a move; a line that had no proportion to the others was moved alone, and begins anew. */
  keep(base, layer, result) {
    this.last = { base: base[layer] > 0 ? base : result, result };
  }
}
