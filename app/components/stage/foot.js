// Under the rows: the answer of both runs as meters, the work, the time.

import { flops, times } from "./scale.js";
import { possible, shareOf, spoken, verdict } from "./story.js";
import { total } from "./work.js";

const SOURCES = { browser: "in this browser", server: "by the server" };

export class Foot {
  /** @param measure called when the visitor asks for a longer measurement. */
  constructor(find, measure) {
    this.find = find;
    this.measure = measure;
  }

  /**
   * @param state {data, run, sent, away, waits}: of the stage; whether the page was asked for its run, whether the lab cannot be
   *   reached, and why there are no times yet.
   */
  show({ data, run, sent, away, waits }) {
    this.find(".question").textContent = data.question;
    const answer = this.find(".answer");
    answer.dataset.thresholds = run.answer ? JSON.stringify((run.answer.thresholds ?? run.thresholds)) : "";
    answer.dataset.source = run.source;
    answer.dataset.milliseconds = run.answer?.milliseconds?.toFixed(1) ?? ""; // of the run; 0 where it was known
    this.meters(data, run.answer);
    const line = this.find(".verdict");
    const said = run.answer ? verdict(data, data.answers.dense, run.answer) : null;
    line.textContent = said ? said.text : away ? "Preview: the lab cannot be reached."
      : sent ? "The model runs …" : "Preview: release to ask the model.";
    line.dataset.kind = said?.kind ?? "waiting";
    this.time(data.time, run.source === "exact" ? waits : meanwhile(run.source, away));
  }

  meters(data, pruned) {
    const rows = [["dense", data.answers.dense], ["pruned", pruned]];
    const widest = part("span", "widest"); // bars keep their length whatever is answered
    widest.append(...possible(data).map((text) => part("span", "", text)));
    this.find(".meters").replaceChildren(...rows.flatMap(([name, answer]) => this.meter(data, name, answer)), widest);
  }

  meter(data, name, answer) {
    const label = part("span", "name", name);
    const track = part("span", `track ${name}`);
    const value = part("b", "value", answer ? spoken(data, answer).text : "…");
    if (!answer) return [label, track, value];
    const { label: said, value: number } = spoken(data, answer);
    const [low, high] = said === null ? [data.scale?.low ?? 0, data.scale?.high ?? 1] : [0, 1];
    const share = (shareOf(data, answer, said) - low) / (high - low);
    if (said !== null || data.scale) {
      const fill = part("i", "");
      fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
      track.append(fill);
    }
    const { gloss } = spoken(data, answer);
    if (gloss) value.append(part("small", "", ` ${gloss}`));
    return [label, track, value];
  }

  /** The work of the layers that have been played. */
  showStep(work, step, layers) {
    const sum = total(work.slice(0, step));
    const ratio = sum.pruned ? sum.dense / sum.pruned : 1;
    const part = step < layers ? ` up to layer ${step}` : "";
    this.find(".work").textContent = step === 0
      ? "Work: nothing yet"
      : `Work${part}: ${times(ratio)} less (${flops(sum.dense)} → ${flops(sum.pruned)})`;
  }

  /** @param waits why there is no time yet; empty if there may be one. */
  time(time, waits) {
    const box = this.find(".time");
    if (waits || !time) return box.replaceChildren(part("p", "wait", waits));
    const first = part("div", "first");
    first.append(part("p", time.longer ? "noisy" : "speed", time.headline));
    if (time.longer) {
      const button = part("button", "longer", "Measure longer");
      button.type = "button";
      button.onclick = this.measure;
      first.append(button);
    }
    box.replaceChildren(first, ...time.lines.map((line) => part("p", "detail", line)));
  }

  /** One line for files. */
  summary(data, reduction) {
    const { dense, pruned } = data.answers;
    const time = data.time ? ` ${data.time.headline}.` : "";
    return `${data.question} ${verdict(data, dense, pruned).text}. ${times(reduction)} less work.${time}`;
  }
}

/** What stands where times will, while a line is moved: there is room for it, and the answer beside it does not move. */
function meanwhile(source, away) {
  if (!SOURCES[source]) return "Time: measured after release";
  return `Answered ${SOURCES[source]}${away ? ": the lab cannot be reached" : ", timed on release"}`;
}

function part(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}
