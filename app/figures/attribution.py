"""Attributions beside survival, and how well they agree."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import CHARACTERS, TICK_SIZE, finish, legend, plain_axis, value_axis
from app.figures.tables import Table
from app.says.text import as_plotly
from ltp_core.why.agreement import Agreement
from ltp_core.why.attribution import Attribution
from ltp_core.why.counterfactual import KeptToken

ROW, ABOVE, BELOW = 26, 64, 62  # px: a token; for the legend; for the titles of the axes


def beside_survival(found: Attribution, palette: Palette, unit: str, start: int, stop: int) -> go.Figure:
    """Tokens from top to bottom: what each one adds to the answer, and how many layers it survives.

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
    figure.add_bar(
        x=[found.trace.survived[token] for token in shown],
        y=list(shown),
        orientation="h",
        name="layers survived",
        xaxis="x2",
        marker={"color": palette.pruned_light},
        customdata=[_fate(found, token) for token in shown],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_layout(
        bargap=0.25,
        barmode="group",
        xaxis=value_axis(palette, unit, domain=[0, 0.64], rangemode="normal", nticks=6),
        xaxis2=value_axis(palette, "layers", domain=[0.7, 1], range=[0, layers], dtick=_step(layers)),
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
    """Area under the ROC curve in each layer, for both models' attributions, with chance as a line."""
    numbers = list(range(1, len(dense.auc) + 1))
    figure = go.Figure()
    for name, found, colour, symbol in (
        ("dense", dense, palette.dense, "circle"),
        ("pruned", pruned, palette.pruned, "diamond"),
    ):
        figure.add_scatter(
            x=numbers,
            y=found.auc,
            name=f"attribution, {name}",
            mode="lines+markers",
            line={"color": colour, "width": 3},
            marker={"size": 11, "symbol": symbol},
            customdata=[
                f"{name}, layer {number}: {auc:.2f}<br>{k} of {found.tokens} words left"
                if auc is not None
                else ""
                for number, auc, k in zip(numbers, found.auc, found.k, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.add_hline(
        y=0.5,
        line={"color": palette.text, "width": 1, "dash": "dash"},
        annotation={"text": "chance", "font": {"size": TICK_SIZE, "color": palette.text}},
        annotation_position="bottom right",
    )
    figure.update_layout(
        xaxis=plain_axis(palette, tickvals=numbers, range=[0.6, numbers[-1] + 0.4]),
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
                f"<br>if it stays: {token.change:+.3f}"
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


def table(found: Attribution) -> Table:
    """One row a token."""
    return {
        "position": list(range(1, len(found.trace.tokens) + 1)),
        "token": found.trace.tokens,
        "attribution, dense": found.dense.values,
        "attribution, pruned": found.pruned.values,
        "layers survived": found.trace.survived,
    }


def agreement_table(dense: Agreement, pruned: Agreement) -> Table:
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


def _step(layers: int) -> int:
    return 1 if layers <= 6 else 3 if layers <= 12 else 6


def _hover(found: Attribution, token: int, name: str, value: float) -> str:
    return f"“{as_plotly(found.trace.tokens[token])}”, {name}: {value:+.3f}<br>{_fate(found, token)}"


def _fate(found: Attribution, token: int) -> str:
    survived, layers = found.trace.survived[token], len(found.trace.layers)
    return f"survives all {layers} layers" if survived == layers else f"leaves in layer {survived + 1}"
