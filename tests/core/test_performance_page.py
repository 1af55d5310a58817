"""The tables of docs/performance.md say what the measured files say."""

import json
from pathlib import Path

import pytest

from ltp_core.pages.marked import between_marks
from tests.browser.lab_page import RESULTS, section
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def results(name):
    return json.loads((ROOT / "assets" / "results" / f"performance-{name}.json").read_text(encoding="utf-8"))


def table(*start):
    """The cells of the table whose header begins so."""
    lines = PAGE.splitlines()
    first = next(i for i, x in enumerate(lines) if x.startswith("| " + " | ".join(start)))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip(" `") for cell in line.strip("|").split("|")])
    return rows


def milliseconds(row, *names):
    return [f"{row[name]:.1f} ms" for name in names]


def test_where_it_stands():
    shown = table("file", "tokens", "batch")
    files = list(dict.fromkeys(cells[0] for cells in shown))
    expected = [
        [
            *(name, f"up to {row['length']}" if "ragged" in name else f"{row['length']}"),
            *(str(row["batch_size"]), f"÷ {row['flops_reduction']:.1f}"),
            *milliseconds(row, "dense_ms", "packed_dense_ms", "pruned_ms"),
            *(f"{row['realised']:.2f}", f"{row['realised_pruning']:.2f}"),
        ]
        for name in files
        for row in results(name)["rows"]
        if (row["engine"], row["against"]) == ("ltp", "sdpa")
    ]
    assert len(files) == 7 and shown == expected


def test_whole_reviews():
    found = results("imdb")
    assert table("reviews a batch") == [
        [
            *(str(row["batch_size"]), f"÷ {row['flops_reduction']:.1f}"),
            *milliseconds(row, "dense_ms", "packed_dense_ms", "pruned_ms"),
            *(f"{row['sentences_per_second']:.1f}", f"{row['speedup']:.2f}×"),
        ]
        for row in found["rows"]
    ]
    scores, said = found["scores"], " ".join(PAGE.split())
    assert f"Here: {scores['examples']:,} reviews" in said and scores["points_lost"] < 1
    assert f"it loses {scores['points_lost']:.1f} points against the baseline" in said
    assert f"which has {100 * scores['baseline']['score']:.1f} %" in said
    rows = json.loads((ROOT / "assets" / "results" / "imdb.json").read_text(encoding="utf-8"))["rows"]
    (row,) = [x for x in rows if (x["split"], x["max_tokens"], x["factor"]) == ("development", 512, 1.0)]
    assert scores["flops_reduction"] == pytest.approx(row["flops_reduction"])  # of the weights that ship


def test_peers():
    shown = table("file", "tokens", "`sdpa`")
    assert shown
    for name, tokens, *cells in shown:
        rows = {
            (row["engine"], row["against"]): row
            for row in results(name)["rows"]
            if str(row["length"]) == tokens
        }
        dense = [
            milliseconds(rows["ltp", peer], "dense_ms")[0] for peer in ("sdpa", "compile", "onnxruntime")
        ]
        pruned = [rows[engine, "sdpa"] for engine in ("ltp", "onnxruntime")]
        assert cells[:3] == dense
        assert cells[3:5] == [milliseconds(row, "pruned_ms")[0] for row in pruned]
        assert cells[5:] == [f"{row['speedup']:.2f}×" for row in pruned]


def test_growth():
    rows = {(str(row["length"]), str(row["batch_size"])): row for row in results("growth")["rows"]}
    shown = table("tokens", "batch")
    assert len(shown) >= 10
    for tokens, size, *cells in shown:
        row = rows[tokens, size]
        ways = ("hugging_face", "packed_dense", "pruned")
        assert cells == [f"{row['milliseconds'][way]:.1f} ms, {row['megabytes'][way]:.0f} MB" for way in ways]


def test_memory():
    said = " ".join(PAGE.split())
    found = results("memory")["megabytes"]
    ways = {"hugging_face": "Hugging Face", "packed_dense": "ours dense", "pruned": "ours pruned"}
    assert ", ".join(f"{shown} {found[way]:.0f} MB" for way, shown in ways.items()) in said


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "int8"])
def test_fewer_bits(kind):
    found = results("precision")
    (shown,) = [cells[1:] for cells in table("| 32 tokens") if cells[0] == kind]
    times = [f"{row['milliseconds'][kind]:.1f} ms" for row in found["times"]]
    assert shown == [*times, f"{found['scores'][kind]['pruned']:.4f}"]


def test_the_lab():
    """The last runs of `make lab-benchmark` on an idle machine, within their budgets, as the page says."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert all(one["p95"] <= one["budget"] for one in some(found["milliseconds"].values()))
    assert not any(found[part]["errors"] for part in ("class", "load") if part in found)
    assert between_marks(PAGE, "lab", section(found)) == PAGE
    expected = [f"{found['milliseconds']['cold_start'][key]:,.0f}" for key in ("p50", "p95", "budget")]
    assert table("what", "median", "p95")[-1][1:4] == expected


def test_the_fastest_pruned_run_stands_beside_the_fastest_dense_one():
    """In each file the least median of dense runs of peers, and of pruned runs, batch 1."""
    expected = []
    for name in ("sst2-fast", "imdb-fast"):
        rows = [row for row in results(name)["rows"] if row["batch_size"] == 1]
        for length in sorted({row["length"] for row in rows}):
            here = [row for row in rows if row["length"] == length]
            dense = min(here, key=lambda row: row["dense_ms"])
            pruned = min(here, key=lambda row: row["pruned_ms"])
            expected.append(
                [
                    *(f"`{name}`", str(length), f"`{dense['against']}`", f"{dense['dense_ms']:.1f} ms"),
                    *(f"`{pruned['engine']}`", f"{pruned['pruned_ms']:.1f} ms"),
                    f"{dense['dense_ms'] / pruned['pruned_ms']:.2f}×",
                ]
            )
    shown = table("file", "tokens", "fastest dense peer")
    assert len(expected) == 6 and [row[:-1] for row in shown] == [
        [cell.strip("`") for cell in row] for row in expected
    ]
