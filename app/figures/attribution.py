"""Attributions beside survival, and how well they agree."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures import leaving
from app.figures.colours import Palette
from app.figures.layout import CHARACTERS, TICK_SIZE, finish, legend, plain_axis, value_axis
from app.figures.tables import FigureTable
from app.says.text import as_plotly
from app.says.words import leaves, signed
from ltp_core.why.agreement import Agreement
from ltp_core.why.attribution import Attribution
from ltp_core.why.counterfactual import KeptToken

ROW, ABOVE, BELOW = 26, 64, 62  # px: a token; for the legend; for the titles of the axes


def beside_survival(found: Attribution, palette: Palette, unit: str, start: int, stop: int) -> go.Figure:
    """Tokens from top to bottom: what each one adds to the answer, and in which layer it leaves.

    Args:
        found: attributions and trace.
        palette: the colours.
        unit: of the attributions.
        start: the first token shown, counted from 0.
        stop: the token after the last one.
    """
    shown = range(start, stop)
    layers = len(found.trace.layers)
    figure = go.Figure()
    for name, scores, colour in (
        ("dense", found.dense, palette.dense),
        ("pruned", found.pruned, palette.pruned),
    ):
        figure.add_bar(
            x=[scores.values[token] for token in shown],
            y=list(shown),
            orientation="h",
            name=f"attribution, {name}",
            marker={"color": colour},
            customdata=[_hover(found, token, name, scores.values[token]) for token in shown],
            hovertemplate="%{customdata}<extra></extra>",
        )
    places = leaving.places(found.trace.survived, layers)
    figure.add_bar(
        x=[places[token] for token in shown],
        y=list(shown),
        orientation="h",
        name=leaving.TITLE,
        showlegend=False,  # its axis says it
        xaxis="x2",
        marker={"color": [leaving.colour(places[token], layers, palette) for token in shown]},
        customdata=[_fate(found, token) for token in shown],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_layout(
        bargap=0.25,
        barmode="group",
        xaxis=value_axis(palette, unit, domain=[0, 0.64], rangemode="normal", nticks=6),
        xaxis2=value_axis(
            palette,
            leaving.TITLE,
            domain=[0.7, 1],
            range=[0, layers + 1.8],
            tickangle=0,
            tickvals=[*_named(layers), layers + 1],
            ticktext=[*map(str, _named(layers)), leaving.STAYS],
        ),
        yaxis=plain_axis(
            palette,
            tickvals=list(shown),
            ticktext=[as_plotly(found.trace.tokens[token], CHARACTERS) for token in shown],
            range=[stop - 0.5, start - 0.5],
            automargin=True,
        ),
    )
    figure.add_vline(x=0, line={"color": palette.text, "width": 1})
    height = ROW * len(shown) + ABOVE + BELOW
    finish(figure, palette, height, {"l": 8, "r": 12, "t": ABOVE, "b": BELOW})
    figure.update_layout(legend(palette))
    return figure.update_layout(legend_yref="container", legend_y=1, legend_yanchor="top")


def by_layer(dense: Agreement, pruned: Agreement, palette: Palette) -> go.Figure:
    """Area under the ROC curve in each layer, for both models' attributions, with chance as a line.

    On the right stands the same over all layers with its interval: what the heading says.
    """
    numbers = list(range(1, len(dense.auc) + 1))
    whole = len(numbers) + 1.2
    figure = go.Figure()
    for name, found, colour, symbol, shift in (
        ("dense", dense, palette.dense, "circle", -0.12),
        ("pruned", pruned, palette.pruned, "diamond", 0.12),
    ):
        marker = {"size": 11, "symbol": symbol, "color": colour}
        figure.add_scatter(
            x=numbers,
            y=found.auc,
            name=f"attribution, {name}",
            mode="lines+markers",
            line={"color": colour, "width": 3},
            marker=marker,
            customdata=[
                f"{name}, layer {number}: {auc:.2f}<br>{k} of {found.tokens} words left"
                if auc is not None
                else ""
                for number, auc, k in zip(numbers, found.auc, found.k, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
        if found.overall is not None and found.interval is not None:
            low, high = found.interval
            figure.add_scatter(
                x=[whole + shift],
                y=[found.overall],
                mode="markers",
                showlegend=False,
                marker=marker,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - found.overall],
                    "arrayminus": [found.overall - low],
                    "color": colour,
                    "thickness": 2,
                },
                hovertemplate=f"{name}, all: {found.overall:.2f} ({low:.2f}–{high:.2f})<extra></extra>",
            )
    figure.add_hline(
        y=0.5,
        line={"color": palette.text, "width": 1, "dash": "dash"},
        annotation={"text": "chance", "font": {"size": TICK_SIZE, "color": palette.text}},
        annotation_position="bottom left",
    )
    figure.update_layout(
        xaxis=plain_axis(
            palette,
            tickvals=[*numbers, whole],
            ticktext=[*map(str, numbers), "all"],
            range=[0.6, whole + 0.4],
        ),
        yaxis=value_axis(palette, "area under the ROC curve", range=[-0.03, 1.05], dtick=0.25),
    )
    figure.layout.xaxis.title.text = "layer"
    finish(figure, palette, 340, {"l": 8, "r": 8, "t": 50, "b": 52})
    return figure.update_layout(legend(palette))


def if_kept(found: Sequence[KeptToken], palette: Palette, unit: str) -> go.Figure:
    """For each dropped token, how far the answer moves if it alone stays."""
    rows = list(range(len(found)))
    figure = go.Figure(
        go.Bar(
            x=[token.change for token in found],
            y=rows,
            orientation="h",
            marker={"color": [palette.pruned if token.change >= 0 else palette.dropped for token in found]},
            customdata=[
                f"“{as_plotly(token.token)}” leaves in layer {token.leaves}"
                f"<br>if it stays: {signed(token.change, 3)}"
                for token in found
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": palette.text, "width": 1})
    figure.update_layout(
        bargap=0.3,
        xaxis=value_axis(palette, unit, rangemode="normal", nticks=6),
        yaxis=plain_axis(
            palette,
            tickvals=rows,
            ticktext=[as_plotly(token.token, CHARACTERS) for token in found],
            range=[len(rows) - 0.5, -0.5],
            automargin=True,
        ),
    )
    return finish(figure, palette, ROW * len(rows) + BELOW + 16, {"l": 8, "r": 12, "t": 8, "b": BELOW})


def table(found: Attribution) -> FigureTable:
    """One row a token."""
    return {
        "position": list(range(1, len(found.trace.tokens) + 1)),
        "token": found.trace.tokens,
        "attribution, dense": found.dense.values,
        "attribution, pruned": found.pruned.values,
        leaving.TITLE: leaves(found.trace.survived, len(found.trace.layers)),
    }


def agreement_table(dense: Agreement, pruned: Agreement) -> FigureTable:
    """One row a layer."""
    return {
        "layer": list(range(1, len(dense.auc) + 1)),
        "words left": dense.k,
        "area under ROC curve, dense": dense.auc,
        "area under ROC curve, pruned": pruned.auc,
        "overlap with the largest, dense": dense.overlap,
        "overlap with the largest, pruned": pruned.overlap,
        "overlap by chance": dense.chance,
    }


def _named(layers: int) -> list[int]:
    """Layers with a name on the axis: on a phone three fit beside the word for those that stay."""
    step = max(2, layers // 3)
    return [layer for layer in range(1, layers, step) if layers + 1 - layer >= 1.5 * step]


def _hover(found: Attribution, token: int, name: str, value: float) -> str:
    return f"“{as_plotly(found.trace.tokens[token])}”, {name}: {signed(value, 3)}<br>{_fate(found, token)}"


def _fate(found: Attribution, token: int) -> str:
    survived, layers = found.trace.survived[token], len(found.trace.layers)
    return f"survives all {layers} layers" if survived == layers else f"leaves in layer {survived + 1}"
