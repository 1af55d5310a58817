"""Points lost against FLOPs: one line a rule, its band, and what others have published."""

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette, on_ground
from app.figures.layout import LABEL_SIZE, TICK_SIZE, finish, legend, value_axis
from app.published import Anchor
from app.says.dots import Speed
from app.says.text import as_plotly
from app.says.words import number
from ltp_core.pictures.colours import rule_style
from ltp_core.pictures.dots import Dot

LEAST = 10.0  # points that the axis spans: a difference of half a point is noise on most of these sets


def frontier(
    shown: Sequence[Dot],
    name: Callable[[str], str],
    anchors: Sequence[Anchor],
    chosen: str,
    palette: Palette,
    clocked: Sequence[tuple[Dot, Speed]] = (),
) -> go.Figure:
    """Draw them; a line's band is one standard error to either side, over all seeds.

    Args:
        shown: the dots, as `dots` sorts them.
        name: rule -> what it is called on pages.
        anchors: what others have published.
        chosen: the name of the dot that is looked at; framed.
        palette: the colours.
        clocked: dots with a time that was measured at their FLOPs: how far the clock falls behind.
    """
    figure = go.Figure()
    for rule in dict.fromkeys(dot.rule for dot in shown):
        line = [dot for dot in shown if dot.rule == rule]
        colour, symbol, dash = rule_style(rule)
        colour = on_ground(colour, palette)
        figure.add_scatter(
            x=[dot.reduction for dot in (*line, *reversed(line))],
            y=[*(-dot.low for dot in line), *(-dot.high for dot in reversed(line))],
            fill="toself",
            fillcolor=_faint(colour),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=[dot.reduction for dot in line],
            y=[-dot.lost for dot in line],
            name=name(rule),
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={
                "symbol": symbol,
                "size": [15 if dot.name == chosen else 10 for dot in line],
                "color": colour,
                "line": {"color": palette.text, "width": [3 if dot.name == chosen else 0 for dot in line]},
            },
            customdata=[dot.name for dot in line],
            text=[_hover(dot, name(rule)) for dot in line],
            hovertemplate="%{text}<extra></extra>",
        )
    _clocked(figure, palette, clocked)
    for anchor in anchors:
        figure.add_scatter(
            x=[anchor.reduction],
            y=[-anchor.lost],
            name=f"published: {anchor.name}, < {anchor.lost:g} point lost",
            mode="markers",
            zorder=-1,  # a dot that lies on it is seen whole
            marker={"symbol": "star", "size": 16, "color": palette.text},
            text=[
                f"{as_plotly(anchor.name)}: less than {anchor.lost:g} point lost at {anchor.reduction:g}×"
                f"<br>{as_plotly(anchor.source)}"
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.add_hline(y=0, line={"color": palette.dense, "width": 2})
    figure.add_annotation(
        x=1, y=0, xref="paper", text="dense baseline", showarrow=False, xanchor="right", yanchor="bottom",
        font={"size": TICK_SIZE - 2, "color": palette.text},
    )  # fmt: skip
    values = [-edge for dot in shown for edge in (dot.low, dot.high)] + [0.0, -1.0]
    low, high = min(values), max(values)
    low = min(low, high - LEAST)
    finish(figure, palette, height=480, margin={"l": 8, "r": 16, "t": 12, "b": 60})
    figure.update_layout(
        xaxis=value_axis(
            palette,
            "dense ÷ pruned FLOPs" + (", or time" if clocked else ""),
            rangemode="normal",
            ticksuffix="×",
        ),
        yaxis=value_axis(
            palette,
            "points against the dense baseline",
            rangemode="normal",
            range=[low - 0.05 * (high - low), high + 0.08 * (high - low)],
        ),
        font={"size": LABEL_SIZE},
        **legend(palette),
    )
    return figure


def _clocked(figure: go.Figure, palette: Palette, clocked: Sequence[tuple[Dot, Speed]]) -> None:
    """From a dot to the left, as far as its time stays behind its FLOPs."""
    for place, (dot, run) in enumerate(clocked):
        colour = on_ground(rule_style(dot.rule)[0], palette)
        figure.add_scatter(
            x=[run.pruning, dot.reduction],
            y=[-dot.lost, -dot.lost],
            name="the same in measured time",
            legendgroup="clock",
            showlegend=place == 0,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": "dot"},
            marker={
                "symbol": "line-ns-open",
                "size": [14, 0],
                "color": colour,
                "line": {"width": 3, "color": colour},
            },
            text=[
                f"{run.pruning:.2f}× in time, by pruning alone, at {run.reduction:.2f}× fewer FLOPs"
                f"<br>{run.length} tokens, one text at a time<br>{as_plotly(run.where)}"
            ]
            * 2,
            customdata=[dot.name] * 2,  # it ends on its dot and would take the click that opens it
            hovertemplate="%{text}<extra></extra>",
        )


def _hover(dot: Dot, name: str) -> str:
    seeds = "" if len(dot.rows) == 1 else f"<br>mean of {len(dot.rows)} seeds"
    return (
        f"{as_plotly(name)}: {number(dot.lost, 1)} points lost "
        f"({number(dot.low, 1)} to {number(dot.high, 1)}) at {dot.reduction:.2f}×{seeds}"
        f"<br>{dot.rows[0]['examples']:,} rows"
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def table(shown: Sequence[Dot], name: Callable[[str], str]) -> dict[str, list[Any]]:
    """One row a measured point, seed by seed."""
    rows = [(dot, row) for dot in shown for row in dot.rows]
    return {
        "rule": [name(dot.rule) for dot, _ in rows],
        "seed": [row["seed"] for _, row in rows],
        "FLOPs target": [dot.target for dot, _ in rows],
        "FLOPs reduction": [row["flops_reduction"] for _, row in rows],
        "executed FLOPs reduction": [row["executed_flops_reduction"] for _, row in rows],
        "score": [row["pruned_score"] for _, row in rows],
        "baseline": [row["baseline_score"] for _, row in rows],
        "points lost": [row["points_lost"] for _, row in rows],
        "standard error": [row.get("points_lost_error") for _, row in rows],
        "rows": [row["examples"] for _, row in rows],
        "commit": [row["commit"] for _, row in rows],
        "measured": [row["measured"] for _, row in rows],
    }
