"""Memory of `ltp predict` over a long corpus, every few seconds: does it grow with the rows?

    python -m tests.flat_memory --data DATA --rows 1000000          (Linux; writes corpus-memory.json)

The rows are those of a task's training set, over and over. The machine need not be idle.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pyarrow
from pyarrow import parquet

from ltp_core.corpus.run import PART
from ltp_core.data.sources import load_table
from ltp_core.results import RESULTS, stamp, write_json

FILE = RESULTS / "corpus-memory.json"
POINTS = 60  # that are kept, evenly spaced


def write_rows(file: Path, texts: list[str], rows: int) -> None:
    """The texts over and over, in pieces, so that this process stays small, too."""
    schema, left = pyarrow.schema([("text", pyarrow.string())]), cycle(texts)
    with parquet.ParquetWriter(file, schema) as writer:
        for begin in range(0, rows, PART):
            piece = [*islice(left, min(PART, rows - begin))]
            writer.write_table(pyarrow.table({"text": piece}, schema=schema))


def watch(process: subprocess.Popen[bytes], parts: Path, every: float) -> Iterator[dict[str, float]]:
    """How large a process is, and how many rows it has answered, until it ends."""
    begin = time.perf_counter()
    while process.poll() is None:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
        found = [float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS:")]
        rows = PART * len([*parts.glob("[0-9]*.parquet")]) if parts.is_dir() else 0
        if found:
            yield {"seconds": time.perf_counter() - begin, "rows": rows, "megabytes": found[0]}
        time.sleep(every)


def main() -> None:
    """Run the command, watch it, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="sst2")
    options.add_argument("--data", required=True)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--every", type=float, default=2.0)
    asked = options.parse_args()
    table = load_table(asked.data, "train", asked.model).filled()
    with tempfile.TemporaryDirectory() as place:
        given, output = Path(place) / "rows.parquet", Path(place) / "answers.parquet"
        write_rows(given, list(table.texts), asked.rows)
        command = ["predict", "--model", asked.model, "--data", str(given), "--output", str(output), "--json"]
        process = subprocess.Popen([sys.executable, "-m", "ltp_core", *command], stdout=subprocess.PIPE)
        seen = [*watch(process, output.with_name(f"{output.name}.parts"), asked.every)]
        said = json.loads(process.communicate()[0])
    while_answering = [point for point in seen if 0 < point["rows"] < asked.rows]
    step = max(1, len(while_answering) // POINTS)
    document = {
        "model": asked.model,
        "summary": {name: said[name] for name in ("rows", "seconds", "rows_per_second", "tokens")},
        "highest": max(point["megabytes"] for point in seen),
        "rows": while_answering[::step],
        **stamp(),
    }
    write_json(FILE, document)
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
