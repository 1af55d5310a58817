// What the model has said about the present text. Thresholds act only through who stays: those under which the same tokens
// stay in every layer as in a run that is known have that run's answer, to the last digit. So most frames of a drag need
// no run of their own, and none once the curve of the dragged layer has been computed.

const MOST = 400; // runs; the oldest goes first

export class Known {
  constructor(most = MOST) {
    this.most = most;
    this.runs = [];
  }

  clear() {
    this.runs = [];
  }

  /**
   * @param acting thresholds that act, one a layer.
   * @param answer what the model said under them: {kept, importance, …}.
   */
  keep(acting, answer) {
    if (this.runs.length >= this.most) this.runs.shift();
    this.runs.push({ answer, layers: acting.map((threshold, layer) => bounds(answer, layer, Math.fround(threshold))) });
  }

  /** The answer of a run in which the same tokens stay; null if there is none. */
  find(acting) {
    const single = acting.map(Math.fround); // as the model compares them
    for (let index = this.runs.length - 1; index >= 0; index -= 1) {
      const { answer, layers } = this.runs[index];
      if (layers.every(({ above, upTo }, layer) => single[layer] > above && single[layer] <= upTo)) return answer;
    }
    return null;
  }
}

/** Between which thresholds, the upper one included, the same tokens stay: the largest share that left, the least that stayed. */
function bounds({ kept, importance }, layer, threshold) {
  let [above, upTo] = [-Infinity, Infinity];
  kept[layer].forEach((stays, token) => {
    const share = importance[layer][token];
    if (share === null) return;
    if (!stays) above = Math.max(above, share);
    else if (share >= threshold) upTo = Math.min(upTo, share); // one that stays under the line always does
  });
  return { above, upTo };
}
