// The answer against one layer's threshold. Between two shares of attention nothing changes, so it is a line of steps.

export const MOST_STEPS = 40;

/**
 * The steps of a layer: each drops one token more than the one before (those of equal shares go together).
 *
 * @param shares importance of the tokens that enter the layer; [CLS], the first, never leaves
 * @returns [{from, at}, …]: the step is there for thresholds above `from`, `at` is one of them
 */
export function steps(shares) {
  const sorted = [...new Set(shares.slice(1))].sort((a, b) => a - b);
  const above = (index) => (index + 1 < sorted.length ? (sorted[index] + sorted[index + 1]) / 2 : (sorted[index] + 1) / 2);
  return [{ from: 0, at: 0 }, ...sorted.map((share, index) => ({ from: share, at: above(index) }))];
}

/**
 * Walk the steps: all of them if they are few, else some at equal distances, and more where the label changes.
 *
 * @param all what `steps` returns
 * @param evaluate async function of a threshold -> {label, …} or null, which ends the walk
 * @returns [{from, …}, …] in order; null if `evaluate` gave up
 */
export async function walk(all, evaluate, most = MOST_STEPS) {
  const found = new Map();
  const visit = async (index) => {
    if (!found.has(index)) found.set(index, await evaluate(all[index].at));
    return found.get(index);
  };
  const last = all.length - 1;
  const count = Math.min(most, all.length);
  const chosen = Array.from({ length: count }, (_, i) => (count > 1 ? Math.round((i * last) / (count - 1)) : 0));
  for (const index of chosen) if (!(await visit(index))) return null;
  for (let i = 1; i < chosen.length; i++) {
    let [low, high] = [chosen[i - 1], chosen[i]];
    while (high - low > 1 && found.get(low).label !== found.get(high).label) {
      const middle = (low + high) >> 1;
      const seen = await visit(middle);
      if (!seen) return null;
      if (seen.label === found.get(low).label) low = middle;
      else high = middle;
    }
  }
  return [...found.keys()].sort((a, b) => a - b).map((index) => ({ from: all[index].from, ...found.get(index) }));
}
