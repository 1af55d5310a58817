// Who stays and who leaves: what the last run did, and what other thresholds would do to importance that is known.
// The latter is an estimate, as the model is not run: later layers keep the importance they had. Nothing here
// touches the page.

export const STAYS = 0, LEAVES = 1, GONE = 2;

/** States of a run, state[layer][token], from who was kept after each layer. */
export function statesOf(kept) {
  const alive = kept[0].map(() => true);
  return kept.map((row) =>
    row.map((stays, token) => {
      const state = !alive[token] ? GONE : stays ? STAYS : LEAVES;
      alive[token] = alive[token] && Boolean(stays);
      return state;
    }),
  );
}

/** What these thresholds would do. Tokens that had left have the importance of the dense run. */
export function previewStates(data, thresholds) {
  const alive = data.tokens.map(() => true);
  return data.importance.map((shares, layer) => {
    const least = acting(data, thresholds[layer]);
    return shares.map((share, token) => {
      if (!alive[token]) return GONE;
      const known = share ?? data.dense[layer][token];
      if (known >= least || data.protected.includes(token)) return STAYS;
      alive[token] = false;
      return LEAVES;
    });
  });
}

/** The share that a threshold stands for on this text: less than itself on one longer than the reference length. */
export function acting(data, threshold) {
  return threshold * data.factor;
}

/** Tokens that enter a layer, and those that are left after it. */
export function counts(states) {
  const after = states.filter((state) => state === STAYS).length;
  return [after + states.filter((state) => state === LEAVES).length, after];
}

/** The layer after which only the token that the classifier reads is left, 1 for the first; 0 for none. */
export function collapsesAfter(states) {
  return 1 + states.slice(0, -1).findIndex((row) => counts(row)[1] === 1);
}

/**
 * The thresholds when one is moved: alone, all in proportion, or all to its value.
 *
 * @param base the thresholds whose proportions are kept, see link.js.
 */
export function moved(before, layer, value, mode, base = before) {
  if (mode === "same") return before.map(() => value);
  if (mode === "linked" && base[layer] > 0) {
    const factor = value / base[layer];
    return base.map((old, other) =>
      other === layer ? value : Number(Math.min(1, old * factor).toPrecision(3)),
    );
  }
  return before.map((old, other) => (other === layer ? value : old));
}

/** The next value on the keyboard's grid, so many steps up or down. */
export function stepped(value, steps, by) {
  const above = steps.findIndex((step) => step > value * (1 + 1e-9));
  const next = above === -1 ? steps.length : above;
  const onGrid = next > 0 && Math.abs(steps[next - 1] - value) <= value * 1e-9;
  const from = by > 0 ? next - 1 : onGrid ? next - 1 : next;
  return steps[Math.max(0, Math.min(steps.length - 1, from + by))];
}

export function same(one, other) {
  return one.length === other.length && one.every((value, index) => Math.abs(value - other[index]) <= 1e-9);
}

/**
 * The settings of a model that have a name, from the one that prunes least: {name, thresholds, about}. What it has
 * learned, or starts with, is always one of them.
 */
export function namedSettings({ named, learned, start }) {
  const usual = learned ?? start;
  if (named.some(({ thresholds }) => same(thresholds, usual))) return named;
  return [{ name: learned ? "Learned" : "Start values", thresholds: usual, about: "" }, ...named];
}
