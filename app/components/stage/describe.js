// What is under the pointer, in words: for the box beside it, and for a screen reader.

import { acting, counts } from "./fate.js";
import { percent, thresholdWords } from "./scale.js";
import { spoken } from "./story.js";

const MOST_NAMED = 4; // flips

/** What happened to a token in a layer. */
export function describe(data, states, token, layer) {
  const which = data.segments.includes(1) ? ` · ${data.segments[token] ? "second" : "first"} text` : "";
  const name = `“${data.tokens[token]}” · token ${token + 1}${which}`;
  const left = data.kept.findIndex((kept) => !kept[token]);
  if (layer === null) return left < 0 ? `${name}\nstays to the end` : `${name}\nleaves in layer ${left + 1}`;
  const share = data.importance[layer][token];
  if (share === null) return `${name}\nleft in layer ${left + 1}`;
  const [entering] = counts(states[layer]);
  const average = share * entering;
  const got = `${name}\nlayer ${layer + 1}: ${percent(share)} of all attention, ${
    average < 1.995 ? average.toFixed(2) : average.toFixed(1)}× the average`;
  const least = acting(data, data.thresholds[layer]);
  if (!least) return `${got}\nstays: nothing is pruned here`;
  if (!data.kept[layer][token]) return `${got}\nleaves: less than ${thresholdWords(least)}`;
  if (share < least) return `${got}\nstays: the classifier reads this token, so it never leaves`;
  return `${got}\nstays: at least ${thresholdWords(least)}`;
}

/** A curve in words: what it is, and where the answer flips. */
export function describeCurve(data, layer, points) {
  const { label } = spoken(data, data.answers.dense);
  const what = `layer ${layer + 1}: the answer for each height of its line`;
  if (label === null) return `${what}\nthe farther right, the higher`;
  const others = points.map((point) => spoken(data, point).label !== label);
  const flips = points.filter((_, index) => index > 0 && others[index] !== others[index - 1]);
  const heights = flips.map(({ from }) => thresholdWords(acting(data, from)));
  const where = flips.length > MOST_NAMED ? `${flips.length} times` : `at ${heights.join(", ")}`;
  return `${what}\nthe farther right, the surer “${label}”\n${flips.length ? `the answer flips ${where}` : "no flip is found"}`;
}
