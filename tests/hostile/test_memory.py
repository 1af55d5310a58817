"""Reading a file takes less than three times its size and 100 MB, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPARE = 50e6  # bytes; half of what is promised, so that a list of short strings would show
READABLE = ("1,000 columns.csv", "short rows.csv", "long rows.csv", "rows.jsonl", "an array.json")
READ = """
import json, sys, time
from pathlib import Path
from ltp_core.data.reader import DataError, read_paths
from ltp_core.data.rows import labelled
def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
for file in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start = memory("VmRSS"), time.monotonic()
    try:
        rows = labelled(read_paths([file]))
        said = len(rows)
    except DataError as error:
        rows, said = None, str(error).replace(str(file), file.name)
    print(json.dumps([file.name, memory("VmHWM") - before, said, time.monotonic() - start]), flush=True)
"""


def cells(count, text="cell"):
    return ",".join(f"{text}{number}" for number in range(count)) + "\n"


def short_rows(file):
    file.write("text,label\n")
    for start in range(0, 2_000_000, 10_000):
        file.write("".join(f"text {number},{number % 2}\n" for number in range(start, start + 10_000)))


def long_rows(file):
    file.write("text,label\n")
    for number in range(5_000):
        file.write(f"{number} {'word ' * 2000}🎈,{number % 2}\n")  # one character that takes four bytes each


def json_rows(file):
    for number in range(200_000):
        file.write(json.dumps({"text": f"text {number}", "label": number % 2, "more": [number] * 5}) + "\n")


FILES = {
    "100,000 columns.csv": lambda file: file.write(cells(100_000, "c") + cells(100_000)),
    "1,000,000 columns.csv": lambda file: [file.write(cells(1_000_000, "c"))] + [file.write(cells(1_000_000)) for _ in range(3)],
    "2,000,000 names.csv": lambda file: file.write("," * 2_000_000 + "\n"),
    "1,000 columns.csv": lambda file: [file.write("text,label," + cells(998, "c"))] + [file.write("a,1," + cells(998)) for _ in range(1000)],
    "a line of 50 MB.csv": lambda file: file.write("text\n" + "x" * 50_000_000),
    "a quote never closed.csv": lambda file: file.write('text\n"' + "ab\n" * 10_000_000),
    "cells over lines.csv": lambda file: file.write("text\n" + '"ab\n",' * 5_000_000),
    "short rows.csv": short_rows,
    "long rows.csv": long_rows,
    "rows.jsonl": json_rows,
    "names.jsonl": lambda file: file.write(json.dumps({f"name {number}": number for number in range(1_000_000)})),
    "an array.json": lambda file: file.write("[" + ",".join('{"text": "a", "label": 1}' for _ in range(300_000)) + "]"),
    "an array of arrays.json": lambda file: file.write("[" * 20_000_000),
}  # fmt: skip


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What reading each file took, all in one process: bytes at most, rows or refusal, size of the file."""
    folder = tmp_path_factory.mktemp("files")
    for name, write in FILES.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            write(file)
    files = [folder / name for name in FILES]
    done = subprocess.run([sys.executable, "-c", READ, *files], capture_output=True, text=True, timeout=290)
    assert done.returncode == 0, done.stderr[-2000:]
    for file in files:
        print(f"{file.stat().st_size / 1e6:6.1f} MB", end=" ")
    print(done.stdout)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (taken, said, (folder / name).stat().st_size) for name, taken, said, _ in found}


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a peak that begins anew"
)
@pytest.mark.parametrize("name", FILES)
def test_peak(read, name):
    taken, said, size = read[name]
    assert isinstance(said, str) == (name not in READABLE), said
    assert taken < 3 * size + SPARE
