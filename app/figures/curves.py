"""Accuracy against FLOPs on a screen, one line a rule; `ltp_core.pictures` draws it for docs and papers."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette, on_ground
from app.figures.layout import TICK_SIZE, finish, legend, score_range, value_axis
from app.says.words import SCORES
from ltp_core.pictures.colours import RULES, rule_style
from ltp_core.rules.table import DENSE


def curves(rows: Sequence[dict[str, Any]], palette: Palette) -> go.Figure:
    """Draw one task's rows of `compare`: score in percent against measured FLOPs reduction.

    Several seeds are one point each target, their mean. The dense baseline is a line across.
    """
    figure = go.Figure()
    shown = [100 * row["pruned_score"] for row in rows]
    examples = min(row.get("examples", 1000) for row in rows)
    there = {row["rule"] for row in rows} - {DENSE.name}
    for rule in (*(rule for rule in RULES if rule in there), *sorted(there - RULES.keys())):
        points = _points([row for row in rows if row["rule"] == rule])
        colour, symbol, dash = rule_style(rule)
        colour = on_ground(colour, palette)
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
        yaxis=value_axis(
            palette,
            f"{SCORES[rows[0]['metric']]} in percent",
            rangemode="normal",
            range=score_range(shown, examples),
        ),
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
