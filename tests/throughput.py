"""Rows a second of `ltp predict` beside a transformers pipeline, in turns.

    python -m tests.throughput --model sst2 --data DATA

(an idle machine; writes a row of assets/results/throughput.json, and the table of docs/corpus.md)

All answer the same rows of the development set with the same weights: ours by the whole command, from a file
to a file, with tokens removed; the others in memory, dense. What is compared
is one part of the rows in each round, so a slow moment of the machine hits all of them.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import torch
import transformers
from pyarrow import parquet

from ltp_core import PrunedModel
from ltp_core.checkpoints import describe
from ltp_core.corpus.predictor import Predictor
from ltp_core.corpus.run import predict_corpus
from ltp_core.data.stream import Source
from ltp_core.measuring.source import rows_for
from ltp_core.onnx.export import export_transformers
from ltp_core.pages.marked import between_marks
from ltp_core.results import RESULTS, ROOT, put_row, read_rows, stamp
from ltp_core.speed.latency import interleaved, paired_ratio

FILE = RESULTS / "throughput.json"
PAGE = ROOT / "docs" / "corpus.md"
PEER = "pipeline, batches of 32"  # what `ratio` is against: the faster of the two pipelines, as measured
OURS = {  # name -> what `Predictor` is asked for
    "torch float32": {},
    "torch float32, nothing pruned": {"rule": "off"},
    "openvino float32": {"backend": "openvino"},
    "openvino int8": {"backend": "openvino", "precision": "int8"},
    "openvino int8, nothing pruned": {"backend": "openvino", "precision": "int8", "rule": "off"},
}
GENTLE = 0.6  # of the thresholds: fewer labels move, for less speed

Answering = Callable[[Sequence[str]], list[str]]


def ours(model: str, length: int, folder: Path, **asked: str) -> Answering:
    """The whole of `ltp predict`: reads a file, writes a file."""
    predictor = Predictor(model, max_tokens=length, **asked)
    given, found = folder / "rows.parquet", folder / "answers.parquet"

    def answer(texts: Sequence[str]) -> list[str]:
        parquet.write_table(pyarrow.table({"text": list(texts)}), given)
        predict_corpus(predictor, Source(str(given)), found, overwrite=True)
        return parquet.read_table(found)["label"].to_pylist()

    return answer


def pipeline(folder: Path, length: int, batch_size: int) -> Answering:
    """Transformers' own, which pads a batch as the rows come."""
    run = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    options = {"batch_size": batch_size, "truncation": True, "max_length": length}
    return lambda texts: [each["label"] for each in run(list(texts), **options)]


def by_length(folder: Path, length: int) -> Answering:
    """What one writes by hand for speed: rows sorted by length, then padded batches of 32."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def answer(texts: Sequence[str]) -> list[str]:
        encoded = tokenizer(list(texts), truncation=True, max_length=length)["input_ids"]
        order, said = sorted(range(len(texts)), key=lambda row: len(encoded[row])), [""] * len(texts)
        with torch.inference_mode():
            for begin in range(0, len(order), 32):
                rows = order[begin : begin + 32]
                batch = tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
                for row, label in zip(rows, model(**batch).logits.argmax(-1).tolist(), strict=True):
                    said[row] = model.config.id2label[label]
        return said

    return answer


def measure(model: str, data: str, limit: int, parts: int, length: int) -> dict[str, object]:
    """Rows a second of each, over some parts of the rows, and how many of the pipeline's labels each has."""
    rows = rows_for(describe(model), data, None).fair(limit)
    size = len(rows) // parts
    texts = [rows.texts[part::parts][:size] for part in range(parts)]  # of all classes and lengths
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place) / "plain"
        engine = PrunedModel.from_pretrained(model)
        export_transformers(engine, plain)
        gentle = ",".join(f"{GENTLE * theta:.17g}" for theta in engine.thresholds or ())
        ways = {PEER: pipeline(plain, length, 32), "pipeline, one by one": pipeline(plain, length, 1)}
        ways["transformers, sorted by length"] = by_length(plain, length)
        asked_of = OURS | {f"openvino int8, thresholds × {GENTLE}": OURS["openvino int8"] | {"rule": gentle}}
        ways |= {name: ours(model, length, Path(place), **asked) for name, asked in asked_of.items()}
        said: dict[str, dict[int, list[str]]] = {name: {} for name in ways}
        at = 0

        def call(name: str) -> None:
            said[name][at] = ways[name](texts[at])

        def advance() -> None:
            nonlocal at
            at = (at + 1) % parts

        calls = {name: (lambda name=name: call(name)) for name in ways}
        times = interleaved(calls, torch.device("cpu"), parts, warmup=1, on_round=advance)
    known = [label for part in range(parts) for label in said[PEER][part]]
    truth = [rows.classes[label] for part in range(parts) for label in rows.labels[part::parts][:size]]
    found = []
    for name, time in times.items():
        labels = [label for part in range(parts) for label in said[name][part]]
        ratio = paired_ratio(times[PEER], time)
        found.append(
            {
                "way": name,
                "rows_per_second": 1000 * size / time.median_ms,
                "quartiles": [1000 * size / time.high_ms, 1000 * size / time.low_ms],
                "ratio": ratio.value,
                "ratio_95": [ratio.low, ratio.high],
                "same_label": sum(a == b for a, b in zip(labels, known, strict=True)) / len(known),
                "accuracy": sum(a == b for a, b in zip(labels, truth, strict=True)) / len(truth),
            }
        )
    about = {"model": model, "rows": parts * size, "rows_at_once": size, "max_tokens": length}
    return {**about, "ways": found, **stamp()}


def table(rows: list[dict]) -> str:
    """The rows in Markdown."""
    lines = [
        "| model | answered by | rows a second | quartiles | × the pipeline | its label | accuracy |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        for way in row["ways"]:
            low, high = way["quartiles"]
            cells = [row["model"], way["way"], f"{way['rows_per_second']:.0f}", f"{low:.0f}–{high:.0f}"]
            cells += [f"{way['ratio']:.2f}", f"{way['same_label']:.1%}", f"{way['accuracy']:.1%}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure one model, write, put all into the page, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="sst2")
    options.add_argument("--data", required=True)
    options.add_argument("--limit", type=int, default=872)
    options.add_argument("--parts", type=int, default=8)
    options.add_argument("--max-tokens", type=int, default=128)
    asked = options.parse_args()
    row = measure(asked.model, asked.data, asked.limit, asked.parts, asked.max_tokens)
    put_row(FILE, row, lambda one: (one["model"],))
    page, shown = PAGE.read_text(encoding="utf-8"), table(read_rows(FILE))
    PAGE.write_text(between_marks(page, "throughput", shown), encoding="utf-8")
    print(shown)


if __name__ == "__main__":
    main()
