// Five tokens, three layers, worked out by hand: "very" leaves in layer 1, "[SEP]" in layer 2.
export const data = {
  tokens: ["[CLS]", "a", "very", "b", "[SEP]"],
  pieces: [["[CLS]", false], ["a", false], ["very", false], ["b", true], ["[SEP]", false]]
    .map(([text, glued]) => ({ text, glued })),
  special: [0, 4],
  segments: [0, 0, 0, 0, 0],
  protected: [0],
  factor: 1,
  thresholds: [0.1, 0.2, 0],
  importance: [[0.4, 0.2, 0.05, 0.25, 0.1], [0.1, 0.25, null, 0.5, 0.15], [0.6, 0.1, null, 0.3, null]],
  dense: [[0.4, 0.2, 0.05, 0.25, 0.1], [0.1, 0.2, 0.1, 0.4, 0.2], [0.5, 0.1, 0.1, 0.2, 0.1]],
  kept: [[1, 1, 0, 1, 1], [1, 1, 0, 1, 0], [1, 1, 0, 1, 0]],
  labels: ["negative", "positive"],
  model: "tiny",
  question: "Is it good?",
  scale: null,
  time: null,
  answers: {
    dense: { probabilities: [0.1, 0.9], value: null },
    pruned: { probabilities: [0.15, 0.85], value: null },
    nothing: null,
  },
};

export const alike = { low: 0, high: 5, words: ["nothing", "topic", "details", "roughly", "nearly", "same"] };
export const number = (value) => ({ probabilities: null, value });
