"""Many texts as pictures: the curve, tokens kept layer by layer, who goes first, work against length."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import CHARACTERS, finish, legend, plain_axis, score_range, value_axis
from app.figures.work import flops_unit
from app.says.text import as_plotly
from app.says.words import NBSP, SCORES, flops, number, times
from ltp_core.data.survey import Fate, Point, Row, Survey
from ltp_core.prediction import Text

MOST_WORDS = 12  # at each end
FEWEST = 3  # occurrences of a word that is shown


def curve(points: Sequence[Point], metric: str, rows: int, palette: Palette) -> go.Figure:
    """Score, or agreement with the dense run, of so many rows against the reduction of FLOPs."""
    scored = points[0].score is not None
    values = [point.score if scored else point.agreement for point in points]
    percent = metric in ("accuracy", "f1") or not scored
    y = [None if value is None else value * (100 if percent else 1) for value in values]
    name = SCORES[metric] if scored else "same answer as dense"
    unit = f"{name}, %" if percent else name
    x = [point.flops_reduction for point in points]
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": palette.pruned, "width": 3},
            marker={
                "size": [16 if point.factor in (0.0, 1.0) else 10 for point in points],
                "color": [palette.dense if point.factor == 0 else palette.pruned for point in points],
                "line": {"width": [2 if point.factor == 1 else 0 for point in points], "color": palette.text},
            },
            showlegend=False,
            cliponaxis=False,
            customdata=[_point(point, name, percent, scored) for point in points],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    # Points that are nowhere, for the legend alone.
    for name, colour, width in (("dense", palette.dense, 0), ("your thresholds", palette.pruned, 2)):
        marker = {"size": 16, "color": colour, "line": {"width": width, "color": palette.text}}
        figure.add_scatter(x=[None], y=[None], name=name, mode="markers", marker=marker)
    known = [value for value in y if value is not None] or [0.0]
    figure.update_layout(
        xaxis=value_axis(
            palette,
            "dense ÷ pruned FLOPs",
            rangemode="normal",
            ticksuffix="×",
            range=[1 - 0.08 * (max(x) - 1 + 0.2), max(x) + 0.12 * (max(x) - 1 + 0.2)],
        ),
        yaxis=value_axis(
            palette, unit, rangemode="normal", range=score_range(known, rows, 100.0 if percent else 1.0)
        ),
    )
    finish(figure, palette, 360, {"l": 8, "r": 16, "t": 12, "b": 52})
    return figure.update_layout(legend(palette))


def kept(shares: Sequence[float], palette: Palette) -> go.Figure:
    """Tokens left after each layer, as a share of all tokens of all texts."""
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(shares) + 1)),
            y=[100 * share for share in shares],
            marker={"color": palette.pruned},
            text=[f"{100 * share:.0f}{NBSP}%" for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="after layer %{x}: %{y:.1f} % of all tokens are left<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis=plain_axis(palette, tickmode="linear", tick0=1, dtick=1 if len(shares) <= 12 else 2),
        yaxis=value_axis(palette, "tokens left, %", range=[0, 112], tickvals=[0, 25, 50, 75, 100]),
    )
    figure.layout.xaxis.title.text = "layer"
    return finish(figure, palette, 360, {"l": 8, "r": 16, "t": 12, "b": 52})


def chosen_words(fates: Sequence[Fate]) -> list[Fate]:
    """The words that leave first and those that stay longest, of those that occur often enough."""
    common = sorted(
        (fate for fate in fates if fate.count >= FEWEST),
        key=lambda fate: (fate.layers, -fate.count, fate.token),
    )
    if len(common) <= 2 * MOST_WORDS:
        return common
    return common[:MOST_WORDS] + common[-MOST_WORDS:]


def words(fates: Sequence[Fate], layers: int, palette: Palette) -> go.Figure:
    """One bar a word: layers that it survives, on average; first to go on top."""
    rows = list(range(len(fates)))
    figure = go.Figure(
        go.Bar(
            y=rows,
            x=[fate.layers for fate in fates],
            orientation="h",
            marker={
                "color": [palette.dropped if fate.layers < layers / 2 else palette.pruned for fate in fates]
            },
            customdata=[
                f"“{as_plotly(fate.token)}”, {fate.count} times<br>"
                f"survives {fate.layers:.1f} of {layers} layers on average"
                for fate in fates
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.update_layout(
        bargap=0.25,
        xaxis=value_axis(palette, "layers survived, on average", range=[0, layers], dtick=1),
        yaxis=plain_axis(
            palette,
            tickvals=rows,
            ticktext=[as_plotly(fate.token, CHARACTERS) for fate in fates],
            autorange="reversed",
            automargin=True,
        ),
    )
    return finish(figure, palette, 90 + 24 * max(len(fates), 4), {"l": 8, "r": 16, "t": 8, "b": 52})


def work(survey: Survey, palette: Palette) -> go.Figure:
    """One dot a text: its FLOPs against its length, with the dense run as a line."""
    rows = sorted(survey.rows, key=lambda row: row.tokens)
    unit, size = flops_unit(max(row.dense_flops for row in rows))
    figure = go.Figure()
    figure.add_scatter(
        x=[row.tokens for row in rows],
        y=[row.dense_flops / size for row in rows],
        mode="lines",
        name="Dense",
        line={"color": palette.dense, "width": 3},
        hoverinfo="skip",
    )
    groups = (
        ("Pruned", [row for row in rows if not row.flipped], palette.pruned, "circle", 8),
        ("Pruned, another answer", [row for row in rows if row.flipped], palette.dropped, "x", 11),
    )
    for name, members, colour, symbol, points in groups:
        figure.add_scatter(
            x=[row.tokens for row in members],
            y=[row.flops / size for row in members],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": points, "opacity": 0.75},
            customdata=[_row(row) for row in members],
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.update_layout(xaxis=value_axis(palette, "tokens in the text"), yaxis=value_axis(palette, unit))
    finish(figure, palette, 420, {"l": 8, "r": 16, "t": 60, "b": 52})
    return figure.update_layout(legend(palette))


def one_line(text: Text) -> str:
    """A text, or a pair of texts, in one line."""
    return " ".join((text if isinstance(text, str) else " ⋮ ".join(text)).split())


def _point(point: Point, name: str, percent: bool, scored: bool) -> str:
    value = point.score if scored else point.agreement
    shown = "not defined" if value is None else f"{100 * value:.1f}{NBSP}%" if percent else number(value, 3)
    what = "nothing pruned" if point.factor == 0 else f"thresholds × {point.factor:g}"
    return f"{what}<br>{name} {shown}<br>{times(point.flops_reduction)} fewer FLOPs"


def _row(row: Row) -> str:
    return (
        f"{as_plotly(one_line(row.text), 60)}<br>{row.tokens} tokens, {flops(row.flops)}, "
        f"{times(row.dense_flops / row.flops)} fewer than dense"
    )
