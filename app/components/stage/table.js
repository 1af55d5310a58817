// The stage as a table and as JSON: plain values in, text out.

/** Rows of strings and numbers as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe. */
export function csv(rows) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** One row a token: its share in each layer, and whether it stays. Title and legend stand in the first row. */
export function stageRows(data, title, legend) {
  const layers = data.kept.map((_, layer) => layer + 1);
  const head = ["position", "token", "text", ...layers.flatMap((n) => [`share of attention, layer ${n}`, `stays after layer ${n}`]),
    "title", "legend"];
  const rows = data.tokens.map((token, index) => [
    index + 1, token, data.segments[index] + 1,
    ...layers.flatMap((n) => [data.importance[n - 1][index], data.kept[n - 1][index] ? 1 : 0]),
    index === 0 ? title : "", index === 0 ? legend : "",
  ]);
  return [head, ...rows];
}

/** Everything on the stage, for programs. */
export function stageJson(data, title, legend, work) {
  const answer = ({ probabilities, value }) => ({
    value,
    probabilities: value === null ? Object.fromEntries(data.labels.map((label, index) => [label, probabilities[index]])) : {},
  });
  return {
    title, legend, model: data.model, question: data.question, tokens: data.tokens, segments: data.segments,
    layers: data.kept.map((kept, layer) => ({
      layer: layer + 1, threshold: data.thresholds[layer], acting_threshold: data.thresholds[layer] * data.factor,
      importance: data.importance[layer], kept: kept.map(Boolean), flops: work[layer].pruned, dense_flops: work[layer].dense,
    })),
    dense: answer(data.answers.dense), pruned: answer(data.answers.pruned), time: data.time,
  };
}
