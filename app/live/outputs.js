// What the graph puts out, as the stage and the page know it: one entry a layer, on the tokens of the text.

/**
 * The thresholds that act on a text of n tokens: those that are set, and beyond the reference length as large a part
 * of the average share as there (the design's "reference length"; null: they act as they are).
 */
export function acting(thresholds, tokens, reference) {
  const factor = scale(tokens, reference);
  return thresholds.map((threshold) => threshold * factor);
}

/** What a set threshold is multiplied by on a text of n tokens. */
export function scale(tokens, reference) {
  return reference ? Math.min(1, reference / tokens) : 1;
}

/**
 * The graph's outputs -> {probabilities, value, kept, importance}.
 *
 * @param logits one a class; a single one is a regression's value
 * @param left tokens left after each layer
 * @param kept their positions, one layer after the other
 * @param importance shares of the tokens that entered each layer, likewise
 * @param tokens how many the text has
 */
export function unpack(logits, left, kept, importance, tokens) {
  const answer = { probabilities: null, value: null, kept: [], importance: [] };
  if (logits.length === 1) answer.value = logits[0];
  else answer.probabilities = softmax(logits);
  let entering = Array.from({ length: tokens }, (_, at) => at);
  let atKept = 0;
  let atShare = 0;
  for (const count of left) {
    const shares = new Array(tokens).fill(null);
    for (const token of entering) shares[token] = importance[atShare++];
    const stays = new Array(tokens).fill(false);
    entering = Array.from(kept.slice(atKept, atKept + Number(count)), Number);
    for (const token of entering) stays[token] = true;
    atKept += Number(count);
    answer.importance.push(shares);
    answer.kept.push(stays);
  }
  return answer;
}

function softmax(logits) {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
