// Paper FLOPs of a layer from token counts alone: as ltp_core/flops.py, for thresholds that the server has not seen
// yet (a test compares the two).

/** Pairs of tokens that see each other; `window` null for all. */
function visiblePairs(tokens, window) {
  if (window === null) return tokens * tokens;
  const near = Math.min(tokens, window + 1);
  return near * near + (tokens - near) * (2 * window + 1);
}

/** FLOPs of one layer (0 is the first) whose attention sees `entering` tokens and whose FFN `staying`. */
export function layerWork(size, layer, entering, staying) {
  const d = size.hidden;
  const attention = 2 * (4 * entering * d * d + 2 * visiblePairs(entering, size.windows[layer]) * d);
  return attention + 2 * staying * size.ffnWeights;
}

/** For each layer its work dense and pruned; `counts` are [entering, staying] a layer. */
export function work(size, tokens, counts) {
  return counts.map(([entering, staying], layer) => ({
    dense: layerWork(size, layer, tokens, tokens),
    pruned: layerWork(size, layer, entering, staying),
  }));
}

export function total(work) {
  return work.reduce((sum, layer) => ({ dense: sum.dense + layer.dense, pruned: sum.pruned + layer.pruned }),
    { dense: 0, pruned: 0 });
}
