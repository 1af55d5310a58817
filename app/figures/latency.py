"""Measured times as bars with their spread, beside what the FLOPs promise."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import finish, legend, plain_axis, value_axis
from app.says.timed import Timed
from app.says.words import milliseconds, spread

RUNS = ("Hugging Face, dense", "Ours, dense", "Ours, pruned")


def latency_bars(timed: Timed, palette: Palette) -> go.Figure:
    """Three bars: median, with the middle half as a whisker; a line where the FLOPs' promise is."""
    timings = [timed.times.dense, timed.times.packed_dense, timed.times.pruned]
    figure = go.Figure(
        go.Bar(
            y=RUNS,
            x=[timing.median_ms for timing in timings],
            orientation="h",
            showlegend=False,
            marker={"color": [palette.dense, palette.dense, palette.pruned]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [timing.high_ms - timing.median_ms for timing in timings],
                "arrayminus": [timing.median_ms - timing.low_ms for timing in timings],
                "color": palette.text,
                "thickness": 2,
                "width": 6,
            },
            customdata=[
                f"{name}: {milliseconds(timing.median_ms)}<br>"
                f"middle half {spread(timing.low_ms, timing.high_ms)} ms, {timing.runs} runs"
                for name, timing in zip(RUNS, timings, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[timed.promised_ms] * 2,
        y=[RUNS[-1], RUNS[1]],
        mode="lines",
        name="if time fell as the FLOPs do",
        line={"color": palette.dropped, "width": 3, "dash": "dot"},
        hovertemplate=f"if time fell as the FLOPs do: {milliseconds(timed.promised_ms)}<extra></extra>",
    )
    figure.update_layout(
        bargap=0.35,
        xaxis=value_axis(palette, "milliseconds"),
        yaxis=plain_axis(palette, autorange="reversed", automargin=True),
    )
    finish(figure, palette, 270, {"l": 8, "r": 16, "t": 44, "b": 52})
    return figure.update_layout(legend(palette))


def latency_table(measured: Sequence[Timed]) -> dict[str, list[object]]:
    """One row a run."""
    table: dict[str, list[object]] = {
        name: []
        for name in ("measured", "run", "median ms", "first quartile ms", "third quartile ms", "runs")
    }
    for timed in measured:
        for run, timing in zip(
            RUNS, (timed.times.dense, timed.times.packed_dense, timed.times.pruned), strict=True
        ):
            row = (timed.name, run, timing.median_ms, timing.low_ms, timing.high_ms, timing.runs)
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
    return table
