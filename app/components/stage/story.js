// What the stage says in words: the headline, each answer, and whether two answers are the same. Parts of a line are
// {text, kind}: kind "kept" are words of the text, which are shown as text and never as markup.

import { counts, collapsesAfter, GONE, STAYS } from "./fate.js";
import { number, probability, times } from "./scale.js";

const MOVED = 0.1; // of probability: beyond, the same label is not the same answer
const LONGEST = 110; // characters of words in a headline; beyond, they are counted

/**
 * An answer {probabilities, value} as {label, share, value, text}; share is the label's probability. Where a model answers with
 * a set of labels (`data.several`), the label is all of them and the share that of the least sure.
 */
export function spoken(data, answer) {
  if (answer.value !== null) {
    const { scale } = data;
    const value = number(answer.value);
    const text = scale ? `${value} of ${scale.high}` : value;
    return { label: null, share: null, value: answer.value, text, gloss: scale ? gloss(scale, answer.value) : "" };
  }
  if (data.several) {
    const label = data.labels.filter((_, place) => answer.probabilities[place] >= 0.5).join(", ") || "none";
    const share = shareOf(data, answer, label);
    return { label, share, value: null, text: `${label} ${probability(share)}`, gloss: "" };
  }
  const best = answer.probabilities.indexOf(Math.max(...answer.probabilities));
  const [label, share] = [data.labels[best], answer.probabilities[best]];
  return { label, share, value: null, text: `${label} ${probability(share)}`, gloss: "" };
}

/** What may stand where an answer stands: the room that is kept for it. */
export function possible(data) {
  const { labels, scale, several } = data;
  if (several) return [];
  if (labels.length) return labels.map((label) => `${label} ${probability(0.9991)}`);
  return scale ? scale.words.map((words) => `${number(scale.high)} of ${scale.high} ${words}`) : [];
}

/** What a value on a scale means: the words of the nearest whole number. */
export function gloss(scale, value) {
  const at = Math.max(scale.low, Math.min(scale.high, Math.round(value)));
  return scale.words[at - scale.low];
}

/** The probability that an answer gives to the label of another one; the value of a regression. */
export function shareOf(data, answer, label) {
  if (data.several) {
    const set = label === "none" ? [] : label.split(", ");
    return Math.min(...data.labels.map((one, place) => (set.includes(one) ? answer.probabilities[place] : 1 - answer.probabilities[place])));
  }
  return label === null ? answer.value : answer.probabilities[data.labels.indexOf(label)];
}

/** Whether pruning changed the answer: {kind: "same" | "moved" | "changed", text}. */
export function verdict(data, dense, pruned) {
  const [before, after] = [spoken(data, dense), spoken(data, pruned)];
  if (before.label === null) {
    const moved = Math.abs(Number(before.value.toFixed(2)) - Number(after.value.toFixed(2)));
    const gloss = before.gloss !== after.gloss ? `, to “${after.gloss}”` : "";
    return { kind: gloss ? "changed" : "same", text: `The answer moves by ${moved.toFixed(2)}${gloss}` };
  }
  if (before.label !== after.label) return { kind: "changed", text: `Another answer: ${before.text} → ${after.text}` };
  const now = probability(after.share);
  if (Math.abs(before.share - after.share) > MOVED)
    return { kind: "moved", text: `The same label, but not as sure: ${before.text} → ${now}` };
  return { kind: "same", text: `The same answer: ${before.text} → ${now}` };
}

/** The words that the last layer still reads, joined, with a dot between two texts; special tokens are left out. */
export function wordsReadOn(data, states) {
  const reading = data.tokens.map((_, token) => states.at(-1)[token] !== GONE && !data.special.includes(token));
  let [text, count, last] = ["", 0, null];
  data.pieces.forEach(({ text: piece, glued }, token) => {
    if (!reading[token]) return;
    count += 1;
    const joins = glued && token > 0 && reading[token - 1];
    const between = last !== null && data.segments[token] !== data.segments[last] ? " · " : " ";
    text += joins || !text ? piece : `${between}${piece}`;
    last = token;
  });
  return { text, count, all: count === data.tokens.length - data.special.length };
}

/**
 * What happened, as parts of a line.
 *
 * @param states of the run or preview that is shown.
 * @param answer of that run; null while nobody has answered.
 * @param reduction dense over pruned work.
 */
export function headline(data, states, answer, reduction) {
  const [layers, tokens] = [states.length, data.tokens.length];
  if (counts(states.at(-1))[1] === tokens) {
    const same = answer ? `; the model says ${spoken(data, answer).label ?? spoken(data, answer).text}` : "";
    return [{ text: `Nothing is pruned: all ${tokens} tokens go through all ${layers} layers${same}` }];
  }
  const says = answer ? whatItSays(data, answer) : [];
  const rest = (before) => [...(says.length ? [{ text: before }, ...says] : []), { text: `: ${times(reduction)} less work` }];
  const collapsed = collapsesAfter(states);
  const words = wordsReadOn(data, states);
  if (collapsed > 0 || words.count === 0)
    return [{ text: `After layer ${collapsed || layers - 1}, ${data.tokens[0]} alone is left` }, ...rest(", ")];
  if (words.all) return [{ text: "All words are read up to the last layer" }, ...rest("; ")];
  return words.text.length <= LONGEST
    ? [{ text: "Read on only “" }, { text: words.text, kind: "kept" }, { text: "”" }, ...rest(", ")]
    : [{ text: "Read on only " }, { text: `${counts(states.at(-1))[0]} of ${tokens} tokens`, kind: "kept" }, ...rest(", ")];
}

function whatItSays(data, answer) {
  const [before, after] = [spoken(data, data.answers.dense), spoken(data, answer)];
  const { kind } = verdict(data, data.answers.dense, answer);
  if (after.label === null) {
    const gloss = kind === "changed" ? ` (${after.gloss})` : "";
    return [{ text: `the model says ${after.text}${gloss}, and ${number(before.value)} to all of it` }];
  }
  if (kind === "changed")
    return [{ text: "the model says " }, { text: after.label, kind: "dropped" }, { text: `, not ${before.label}` }];
  const less = after.share < before.share ? "less" : "more";
  const sure = kind === "moved" ? `, but is ${less} sure` : "";
  return [{ text: `the model still says ${after.label}${sure}` }];
}

/** One line more where the headline needs it; else "". */
export function aside(data, states) {
  const { nothing } = data.answers;
  if (!nothing || collapsesAfter(states) !== 1) return "";
  return `No word is read after layer 1, so this is nearly what the model says to nothing: to an empty text it says ${
    spoken(data, nothing).text}.`;
}

/** For a screen reader, when a result has come. */
export function announcement(data, states, answer, reduction) {
  const after = states.map((row) => row.filter((state) => state === STAYS).length);
  const line = headline(data, states, answer, reduction).map((part) => part.text).join("");
  return `${line}. Tokens left after each layer: ${after.join(", ")} of ${data.tokens.length}.`;
}
