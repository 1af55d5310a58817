"""Time of `PrunedModel.rank` beside sentence-transformers' CrossEncoder, same pairs and weights, in turns.

    python -m tests.reranking --data DATA

(an idle machine; writes assets/results/reranking.json, and the table of docs/reranking.md)

The pairs are of stsb's development set: each of some first sentences is a query, the second sentences of
these rows are its documents, one of them its own.
"""

import argparse
import tempfile
from pathlib import Path

import torch

from ltp_core import Dense, PrunedModel
from ltp_core.checkpoints import describe
from ltp_core.data.orders import order_kept
from ltp_core.measuring.source import rows_for
from ltp_core.onnx.export import export_transformers
from ltp_core.pages.marked import between_marks
from ltp_core.results import RESULTS, ROOT, stamp, write_json
from ltp_core.speed.latency import interleaved, paired_ratio

FILE = RESULTS / "reranking.json"
PAGE = ROOT / "docs" / "reranking.md"
PEER = "sentence-transformers"
TOP = 10


def measure(model: str, data: str, queries: int, documents: int) -> dict[str, object]:
    """Milliseconds a query of each, and how much of the peer's order each keeps."""
    from sentence_transformers import CrossEncoder

    rows = rows_for(describe(model), data, None).first(documents)
    asked = [first for first, _ in rows.texts[:queries]]
    answers = [second for _, second in rows.texts]
    with tempfile.TemporaryDirectory() as place:
        engine = PrunedModel.from_pretrained(model)
        export_transformers(engine, Path(place) / "plain")
        encoder = CrossEncoder(str(Path(place) / "plain"), device="cpu", max_length=engine.max_tokens)
    chains = {
        precision: PrunedModel.from_pretrained(model, backend="openvino", precision=precision)
        for precision in ("float32", "int8")
    }
    ours = {
        "ours, nothing pruned": (engine, Dense()),
        "ours": (engine, None),
        **{f"ours, openvino {precision}": (chain, None) for precision, chain in chains.items()},
    }
    at = 0
    calls = {PEER: lambda: encoder.rank(asked[at], answers, top_k=TOP, show_progress_bar=False)}
    for name, (runs, rule) in ours.items():
        calls[name] = lambda runs=runs, rule=rule: runs.rank(asked[at], answers, TOP, rule)

    def advance() -> None:
        nonlocal at
        at = (at + 1) % queries

    times = interleaved(calls, torch.device("cpu"), queries, warmup=1, on_round=advance)
    kept: dict[str, list[float]] = {name: [] for name in ours}
    for query in asked:
        known = encoder.predict([(query, answer) for answer in answers], show_progress_bar=False).tolist()
        for name, (runs, rule) in ours.items():
            found = {each.document: each.score for each in runs.rank(query, answers, rule=rule)}
            kept[name].append(order_kept(known, [found[n] for n in range(len(answers))]))
    ways = []
    for name, time in times.items():
        ratio = paired_ratio(times[PEER], time)
        ways.append(
            {
                "way": name,
                "milliseconds": time.median_ms,
                "quartiles": [time.low_ms, time.high_ms],
                "ratio": ratio.value,
                "ratio_95": [ratio.low, ratio.high],
                "order_kept": sum(kept[name]) / queries if name in kept else None,
            }
        )
    about = {"model": model, "queries": queries, "documents": len(answers), "top_k": TOP}
    return {**about, "rows": ways, **stamp()}


def table(document: dict) -> str:
    """The rows in Markdown."""
    head = "| ordered by | ms a query | quartiles | × CrossEncoder | pairs in its order |"
    lines = [head, "|---|---:|---:|---:|---:|"]
    for way in document["rows"]:
        low, high = way["quartiles"]
        kept = "" if way["order_kept"] is None else f"{way['order_kept']:.1%}"
        times = f"{way['milliseconds']:.0f} | {low:.0f}–{high:.0f}"
        cells = [way["way"], times, f"{way['ratio']:.2f}", kept]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write, put it into the page, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="stsb")
    options.add_argument("--data", required=True)
    options.add_argument("--queries", type=int, default=20)
    options.add_argument("--documents", type=int, default=100)
    asked = options.parse_args()
    document = measure(asked.model, asked.data, asked.queries, asked.documents)
    write_json(FILE, document)
    page, shown = PAGE.read_text(encoding="utf-8"), table(document)
    PAGE.write_text(between_marks(page, "reranking", shown), encoding="utf-8")
    print(shown)


if __name__ == "__main__":
    main()
