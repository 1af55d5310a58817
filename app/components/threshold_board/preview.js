// What would happen under other thresholds, from the importance that is already known. An estimate: the model
// is not run, so later layers keep the importance they had. Nothing here touches the page.

const STAYS = 0, LEAVES = 1, GONE = 2;

/** What the last run did: state[layer][token]. */
function exactStates(data) {
  const alive = data.tokens.map(() => true);
  return data.kept.map((kept) =>
    kept.map((stays, token) => {
      const state = !alive[token] ? GONE : stays ? STAYS : LEAVES;
      alive[token] = alive[token] && Boolean(stays);
      return state;
    }),
  );
}

/** What these thresholds would do: state[layer][token]. Tokens that had left have the dense run's importance. */
function previewStates(data, thresholds) {
  const alive = data.tokens.map(() => true);
  return data.importance.map((shares, layer) => {
    return shares.map((share, token) => {
      if (!alive[token]) return GONE;
      const known = share ?? data.dense[layer][token];
      if (known >= thresholds[layer] || data.protected.includes(token)) return STAYS;
      alive[token] = false;
      return LEAVES;
    });
  });
}

/** Tokens that enter a layer, and those that are left after it. */
function counts(states) {
  const after = states.filter((state) => state === STAYS).length;
  return [after + states.filter((state) => state === LEAVES).length, after];
}

/** The thresholds when one is moved: alone, all in proportion, or all to its value. */
function moved(before, layer, value, mode) {
  if (mode === "same") return before.map(() => value);
  if (mode === "linked" && before[layer] > 0 && value > 0) {
    const factor = value / before[layer];
    return before.map((old, other) =>
      other === layer ? value : Number(Math.min(1, old * factor).toPrecision(3)),
    );
  }
  return before.map((old, other) => (other === layer ? value : old));
}

/** The next value on the keyboard's grid, so many steps up or down. */
function stepped(value, steps, by) {
  const above = steps.findIndex((step) => step > value * (1 + 1e-9));
  const next = above === -1 ? steps.length : above;
  const onGrid = next > 0 && Math.abs(steps[next - 1] - value) <= value * 1e-9;
  const from = by > 0 ? next - 1 : onGrid ? next - 1 : next;
  return steps[Math.max(0, Math.min(steps.length - 1, from + by))];
}

/** How far from the average, as one of ten colours: 0 an eighth or less, 9 eight times or more. */
function level(share, entering) {
  const doublings = Math.max(-3, Math.min(3, Math.log2(Math.max(share * entering, 1e-9))));
  return doublings < 0 ? Math.round((4 * (doublings + 3)) / 3) : 5 + Math.round((4 * doublings) / 3);
}
