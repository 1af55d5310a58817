"""How far our executions are from Hugging Face's own eager forward, for every family.

    python -m tests.core.measure_families

Runs the tiny random models of `families.py` over the inputs and rules of the parity test, writes the largest
differences to assets/results/families.json, and puts them as a table into docs/architectures.md.
"""

import torch

from ltp_core.pages.marked import between_marks
from ltp_core.results import RESULTS, ROOT, stamp, write_rows
from tests.core.families import MODELS, RULES, batches, hugging_face, wrapped

PAGE = ROOT / "docs" / "architectures.md"


def measure(name: str) -> dict[str, object]:
    """The largest differences of one model over all inputs, rules and both executions."""
    model = wrapped(name)
    dense, pruned, importance, other_sets, runs = 0.0, 0.0, 0.0, 0, 0
    for batch in batches(name):
        for title, rule in RULES.items():
            logits, masks, shares = hugging_face(model.hf_model, rule, **batch)
            for execution in ("removed", "masked"):
                out = model(**batch, rule=rule, execution=execution, record=True)
                apart = float((out.logits - logits).abs().max())
                if title == "dense":
                    apart = max(apart, float((out.logits - model.hf_model(**batch).logits).abs().max()))
                    dense = max(dense, apart)
                else:
                    pruned = max(pruned, apart)
                pairs = zip(out.run.importance, shares, strict=True)
                importance = max(importance, *(float((ours - theirs).abs().max()) for ours, theirs in pairs))
                sets = zip(out.run.masks, masks, strict=True)
                other_sets += any(not torch.equal(ours.bool(), theirs) for ours, theirs in sets)
                runs += 1
    return {
        "model": name,
        "runs": runs,
        "dense_logits": dense,
        "pruned_logits": pruned,
        "importance": importance,
        "runs_with_other_kept_sets": other_sets,
    }


def table(rows: list[dict[str, object]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| model | runs | logits, nothing pruned | logits, pruned | importance | runs with other kept sets |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        apart = " | ".join(f"{row[key]:.1e}" for key in ("dense_logits", "pruned_logits", "importance"))
        lines.append(f"| {row['model']} | {row['runs']} | {apart} | {row['runs_with_other_kept_sets']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write, print."""
    with torch.no_grad():
        rows = [measure(name) for name in MODELS]
    write_rows(RESULTS / "families.json", [{**row, **stamp()} for row in rows])
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(between_marks(page, "families", table(rows)), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
