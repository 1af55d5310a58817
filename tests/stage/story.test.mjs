import assert from "node:assert/strict";
import { test } from "node:test";
import { statesOf } from "../../app/components/stage/fate.js";
import { announcement, aside, headline, spoken, verdict } from "../../app/components/stage/story.js";
import { alike, data, number } from "./worked.mjs";

const line = (parts) => parts.map(({ text }) => text).join("").replaceAll("\u00a0", " ");
const classes = (negative, positive) => ({ probabilities: [negative, positive], value: null });
const told = (answer, kept = data.kept, changes = {}) => line(headline({ ...data, ...changes }, statesOf(kept), answer, 1.52));

test("the headline says which words were read on, the answer and the work", () => {
  assert.equal(told(data.answers.pruned), "Read on only “a b”, the model still says positive: 1.52× less work");
  const parts = headline(data, statesOf(data.kept), data.answers.pruned, 1.52);
  assert.deepEqual(parts.filter(({ kind }) => kind === "kept").map(({ text }) => text), ["a b"]);
});

test("a piece joins the word before it only where that is read, too", () => {
  const kept = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 1, 1, 0]];
  assert.match(told(data.answers.pruned, kept), /All words are read up to the last layer; the model still says positive/);
  const part = [[1, 0, 1, 1, 1], [1, 0, 1, 1, 0], [1, 0, 1, 1, 0]];
  assert.match(told(data.answers.pruned, part), /“veryb”/);
});

test("of a pair it is seen which words are whose", () => {
  const pair = { segments: [0, 0, 0, 1, 1], pieces: data.pieces.map(({ text }) => ({ text, glued: false })) };
  assert.match(told(data.answers.pruned, data.kept, pair), /“a · b”/);
});

test("another label is said first, and loudly", () => {
  assert.equal(told(classes(0.8, 0.2)), "Read on only “a b”, the model says negative, not positive: 1.52× less work");
  assert.equal(line([{ text: verdict(data, data.answers.dense, classes(0.8, 0.2)).text }]),
    "Another answer: positive 90.0 % → negative 80.0 %");
});

test("the same label at another confidence is not the same answer", () => {
  assert.equal(verdict(data, data.answers.dense, classes(0.19, 0.81)).kind, "same");
  const moved = verdict(data, data.answers.dense, classes(0.21, 0.79));
  assert.equal(moved.kind, "moved");
  assert.match(line([moved]), /not as sure: positive 90.0 % → 79.0 %/);
  assert.match(told(classes(0.387, 0.613)), /still says positive, but is less sure/);
  assert.match(line([verdict(data, data.answers.dense, data.answers.pruned)]), /^The same answer: positive 90.0 % → 85.0 %$/);
});

test("nothing pruned, and nothing left", () => {
  const all = data.kept.map((row) => row.map(() => 1));
  assert.equal(told(data.answers.dense, all), "Nothing is pruned: all 5 tokens go through all 3 layers; the model says positive");
  const none = data.kept.map(() => [1, 0, 0, 0, 0]);
  assert.match(told(classes(0.8, 0.2), none), /^After layer 1, \[CLS\] alone is left, the model says negative, not positive/);
  const nothing = { ...data, answers: { ...data.answers, nothing: classes(0.6, 0.4) } };
  assert.match(line([{ text: aside(nothing, statesOf(none)) }]), /to an empty text it says negative 60.0 %/);
  assert.equal(aside(nothing, statesOf(data.kept)), "");
  assert.equal(aside(data, statesOf(none)), "");
});

test("a regression speaks on its scale", () => {
  const stsb = { ...data, labels: [], scale: alike, answers: { dense: number(3.4), pruned: number(2.2), nothing: null } };
  assert.equal(spoken(stsb, number(3.4)).text, "3.40 of 5");
  assert.equal(spoken(stsb, number(-0.7)).gloss, "nothing");
  assert.equal(spoken(stsb, number(-0.7)).text, "\u22120.70 of 5");
  assert.equal(spoken(stsb, number(-0.004)).text, "0.00 of 5");
  const { kind, text } = verdict(stsb, number(3.4), number(2.2));
  assert.equal(kind, "changed");
  assert.equal(text, "The answer moves by 1.20, to “details”");
  assert.equal(verdict(stsb, number(3.4), number(3.3)).kind, "same");
  const bare = { ...stsb, scale: null };
  assert.equal(spoken(bare, number(0.5)).text, "0.50");
  assert.match(line(headline(stsb, statesOf(data.kept), number(2.2), 1.5)), /the model says 2.20 of 5 \(details\), and 3.40 to all of it/);
  assert.match(line(headline(stsb, statesOf(data.kept), number(3.3), 1.5)), /the model says 3.30 of 5, and 3.40 to all of it/);
});

test("without an answer the line is a preview's", () => {
  assert.equal(told(null), "Read on only “a b”: 1.52× less work");
});

test("many words are counted, and markup stays text", () => {
  const tokens = ["[CLS]", ...Array(80).fill("<b>word</b>"), "[SEP]"];
  const long = { ...data, tokens, special: [0, 81], pieces: tokens.map((text) => ({ text, glued: false })) };
  const kept = [tokens.map((_, i) => (i === 3 ? 0 : 1)), tokens.map((_, i) => (i === 3 ? 0 : 1))];
  assert.match(line(headline(long, statesOf(kept), data.answers.pruned, 1.5)), /^Read on only 81 of 82 tokens, the model still says/);
});

test("what is spoken has the counts", () => {
  assert.match(announcement(data, statesOf(data.kept), data.answers.pruned, 1.5), /Tokens left after each layer: 4, 3, 3 of 5\.$/);
});

test("a set of labels is one answer, as sure as its least sure label", () => {
  const several = { ...data, several: true, labels: ["joy", "anger", "fear"] };
  const set = (...probabilities) => ({ probabilities, value: null });
  assert.equal(line([spoken(several, set(0.75, 0.5, 0.125))]), "joy, anger 50.0 %");
  assert.equal(line([spoken(several, set(0.25, 0.125, 0.25))]), "none 75.0 %");
  assert.equal(verdict(several, set(0.9, 0.8, 0.1), set(0.9, 0.4, 0.1)).kind, "changed");
  assert.equal(verdict(several, set(0.9, 0.8, 0.1), set(0.8, 0.75, 0.2)).kind, "same");
  assert.equal(verdict(several, set(0.9, 0.9, 0.1), set(0.9, 0.7, 0.1)).kind, "moved");
});
