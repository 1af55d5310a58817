"""What docs/performance.md says of the lab, written from assets/results/lab.json.

python -m tests.browser.lab_page
"""

import json
import textwrap
from pathlib import Path
from typing import Any

from ltp_core.pages.marked import between_marks

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "assets" / "results" / "lab.json"
PAGE = ROOT / "docs" / "performance.md"
WIDTH = 130
BEFORE = (
    "This was the lab before the stage, with a board of thresholds in its place and without answers in a "
    "drag: today's has not been measured like this yet."
)
WHAT = {
    "drag_preview": "a move in a drag to its preview",
    "live_frame_25": "a move in a drag to the model's answer in the browser, 25 tokens",
    "live_frame_128": "the same, 128 tokens",
    "threshold_release": "letting a threshold go to the exact stage, answer and heatmap",
    "new_sentence": "a new sentence",
    "page_switch": "another page",
    "cold_start": "a cold start to a usable page",
}


def section(found: dict[str, Any]) -> str:
    """Table and sentences for what was measured; a part that was not is left out."""
    times = found["milliseconds"]
    days = sorted({part.get("measured", found.get("measured", ""))[:10] for part in times.values()})
    rows = [
        f"| {what} | {times[name]['p50']:,.0f} | {times[name]['p95']:,.0f} | {times[name]['budget']:,} "
        f"| {times[name]['samples']} |"
        for name, what in WHAT.items()
        if name in times
    ]
    said = [
        f"Measured in Chromium on the same two cores as the server ({found['machine']}), on "
        f"{' and '.join(days)}, with texts of 128 tokens where nothing else is said; "
        "`assets/results/lab.json` has the commits. Median and 95th percentile in ms:"
    ]
    if "live_frame_25" not in times:
        said.append(BEFORE)
    live = [_live(times[name], name.rpartition("_")[2]) for name in WHAT if "linked" in times.get(name, {})]
    if live:
        said.append(
            "A live frame is one with the model's own answer to just that move, in a drag of layer "
            "2's line. Most "
            "need no run, as the same tokens stay in every layer as in one that is known "
            "(`app/live/known.js`). " + " ".join(live)
        )
    parts = (("tab_memory", _tab), ("class", _class), ("load", _load))
    said += [say(found[name]) for name, say in parts if name in found]
    first, *rest = (
        textwrap.fill(each, WIDTH, break_long_words=False, break_on_hyphens=False) for each in said
    )
    table = "\n".join(
        ["| what | median | p95 | budget | samples |", "| --- | --- | --- | --- | --- |", *rows]
    )
    return "\n\n".join([first, table, *rest]) + "\n"


def _live(times: dict[str, Any], tokens: str) -> str:
    linked = times["linked"]
    ran = linked["ran"]
    return (
        f"At {tokens} tokens the model ran for {times['ran']['samples']} of {times['samples']} "
        "frames; in a drag of "
        f"all lines at once for {ran['samples']} of {linked['samples']}, which took {ran['p50']:.0f} "
        "ms in the "
        f"median and {ran['p95']:.0f} at the 95th percentile."
    )


def _tab(tab: dict[str, Any]) -> str:
    early, late = tab["mb"]
    return (
        f"{tab['sentences']} sentences, each with a threshold moved, take the tab's process from "
        f"{early} MB (after "
        f"a tenth of them) to {late} MB."
    )


def _class(crowd: dict[str, Any]) -> str:
    return (
        f"{crowd['visitors']} visitors who drag at once cost the server "
        f"{crowd['server_cores_dragging']:.2f} cores, "
        f"and {crowd['server_cores_resting']:.2f} when nobody drags. Their frames, with all their "
        "browsers on the "
        f"same two cores, took {crowd['frame_p50']:,.0f} ms in the median and "
        f"{crowd['frame_p95']:,.0f} at the 95th "
        "percentile."
    )


def _load(crowd: dict[str, Any]) -> str:
    warm, end = crowd["memory_mb"]
    return (
        f"{crowd['visitors']} visitors moved thresholds for {crowd['seconds']:g} s, with their "
        "browsers on the same "
        f"two cores, and checked the page against a direct call: {crowd['moves']} moves, no error, no "
        "result of "
        f"somebody else. A move took {crowd['p50'] / 1000:.2f} s in the median and "
        f"{crowd['p95'] / 1000:.2f} s at the "
        "95th percentile to the exact result; the latency that a move also has measured came after up to "
        f"{crowd['rest_p95'] / 1000:.0f} s (95th percentile), since measurements wait for one "
        "another. The server's "
        f"memory went from {warm} to {end} MB."
    )


def main() -> None:
    page, found = PAGE.read_text(encoding="utf-8"), json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(between_marks(page, "lab", section(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
