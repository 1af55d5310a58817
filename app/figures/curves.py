"""Accuracy against FLOPs, one line a rule. `python -m app.figures.curves` draws docs/pictures/."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import LIGHT, Palette
from app.figures.layout import LABEL_SIZE, TICK_SIZE, finish, legend, value_axis
from ltp_core.rules.table import CALIBRATED, DENSE, LAT, LTP, TOPK, UNTRAINED

# Okabe and Ito's colours, apart under the common colour blindnesses; shapes and dashes say it again.
_TRAINED = {
    LTP.name: ("#0072b2", "circle", "solid"),
    TOPK.name: ("#d55e00", "square", "solid"),
    LAT.name: ("#009e73", "diamond", "solid"),
}
STYLES = {
    **_TRAINED,
    "manual": ("#cc79a7", "triangle-up", "dash"),
    CALIBRATED.name: ("#56b4e9", "triangle-down", "dash"),
    "manual/flat": ("#e69f00", "cross", "dash"),
    **{
        f"{name}{UNTRAINED}": (colour, f"{symbol}-open", "dot")
        for name, (colour, symbol, _) in _TRAINED.items()
        if name != LTP.name
    },
    "random": ("#7d8894", "x", "dot"),
}
SPARE = "#a65e2e", "#6a51a3", "#5f6b00"  # of rules that have no style of their own
PLAIN = ("circle-open", "dashdot")


def style(rule: str) -> tuple[str, str, str]:
    """Colour, marker and dash of a rule: its own, or else one that its name alone decides."""
    if rule in STYLES:
        return STYLES[rule]
    return (SPARE[sum(rule.encode()) % len(SPARE)], *PLAIN)


def curves(rows: Sequence[dict[str, Any]], palette: Palette) -> go.Figure:
    """Draw one task's rows of `compare`: score in percent against measured FLOPs reduction.

    Several seeds are one point each target, their mean. The dense baseline is a line across.
    """
    figure = go.Figure()
    there = {row["rule"] for row in rows} - {DENSE.name}
    for rule in (*(rule for rule in STYLES if rule in there), *sorted(there - STYLES.keys())):
        points = _points([row for row in rows if row["rule"] == rule])
        colour, symbol, dash = style(rule)
        figure.add_scatter(
            x=[reduction for reduction, _ in points],
            y=[score for _, score in points],
            name=rule,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 9, "color": colour},
            hovertemplate=f"{rule}: %{{y:.1f}} at %{{x:.2f}}×<extra></extra>",
        )
    if dense := _points([row for row in rows if row["rule"] == DENSE.name]):
        figure.add_hline(
            y=dense[0][1],
            line={"color": palette.dense, "width": 1, "dash": "longdash"},
            annotation={"text": "dense", "font": {"size": TICK_SIZE, "color": palette.text}},
        )
    finish(figure, palette, height=460, margin={"l": 70, "r": 20, "t": 90, "b": 60})
    figure.update_layout(
        xaxis=value_axis(palette, "FLOPs reduction (dense ÷ pruned)", rangemode="normal", ticksuffix="×"),
        yaxis=value_axis(palette, f"{rows[0]['metric']} in percent", rangemode="normal"),
        **legend(palette),
    )
    return figure


def _points(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """(FLOPs reduction, score in percent) for each target, the mean over seeds."""
    found = []
    for target in sorted({row["target_flops"] for row in rows}):
        same = [row for row in rows if row["target_flops"] == target]
        reduction = sum(row["flops_reduction"] for row in same) / len(same)
        found.append((reduction, 100 * sum(row["pruned_score"] for row in same) / len(same)))
    return found


def draw(results: Path, pictures: Path) -> list[Path]:
    """Write one SVG for each `compare-TASK.json`. Plotly needs kaleido and a Chromium for it."""
    from ltp_core.results import read_rows

    drawn = []
    for file in sorted(results.glob("compare-*.json")):
        figure = curves(read_rows(file), LIGHT)
        figure.update_layout(width=820, paper_bgcolor=LIGHT.ground, font={"size": LABEL_SIZE})
        pictures.mkdir(parents=True, exist_ok=True)
        figure.write_image(pictures / f"{file.stem}.svg")
        drawn.append(pictures / f"{file.stem}.svg")
    return drawn


if __name__ == "__main__":
    from ltp_core.results import RESULTS, ROOT

    for picture in draw(RESULTS, ROOT / "docs" / "pictures"):
        print(picture)
