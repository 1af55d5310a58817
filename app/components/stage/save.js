// The stage as a file. Files hold the server's run, also while a preview is on the stage.

import { download, saveFigure } from "../files.js";
import { headline } from "./story.js";
import { csv, stageJson, stageRows } from "./table.js";

const LEGEND = "Bars: share of all attention that a token gets in the layer, on a logarithmic axis. Line: the layer’s " +
  "threshold; a token under it leaves (struck through). Right: the layer’s work, pruned, of what it is dense.";

export function saveStage(stage, format) {
  const { data, exact } = stage;
  const reduction = stage.reductionOf(exact);
  const title = headline(data, exact, data.answers.pruned, reduction).map(({ text }) => text).join("");
  const name = "ltp-stage";
  if (format === "csv") return download(new Blob([csv(stageRows(data, title, LEGEND))], { type: "text/csv" }), `${name}.csv`);
  if (format === "json") {
    const text = JSON.stringify(stageJson(data, title, LEGEND, stage.workOf(exact)), null, 1);
    return download(new Blob([text], { type: "application/json" }), `${name}.json`);
  }
  const colour = (selector) => getComputedStyle(stage.find(selector)).backgroundColor;
  const legend = [{ swatch: colour(".key-stays"), text: "stays" }, { swatch: colour(".key-leaves"), text: "leaves" }];
  const notes = [stage.foot.summary(data, reduction), LEGEND];
  return saveFigure([stage.svg], { title, notes, legend }, name, format);
}
