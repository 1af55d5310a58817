"""The numbers behind the figures, as tables and as files. Floats are not rounded."""

import csv
import io
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from app.says.words import attention_of, leaves, with_minus
from ltp_core import Trace

FigureTable = Mapping[str, Sequence[Any]]
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # a cell that begins so is run by one spreadsheet or another


def survival_table(trace: Trace) -> FigureTable:
    """One row a token: its share of attention in each layer, and the layer where it leaves."""
    layers = range(len(trace.layers))
    table: dict[str, Sequence[Any]] = {
        "position": list(range(1, len(trace.tokens) + 1)),
        "token": trace.tokens,
    }
    if 1 in trace.segments:
        table["text"] = [segment + 1 for segment in trace.segments]
    table["leaves in layer"] = leaves(trace.survived, len(layers))
    for layer in trace.layers:
        table[f"layer {layer.layer}"] = layer.importance
    return table


def attention_table(trace: Trace, head: int | None) -> FigureTable:
    """One row a pair of tokens: who gives attention, who gets it, and how much."""
    attention = attention_of(trace)
    weights = attention.weights(head).tolist()
    names = [trace.tokens[index] for index in attention.tokens]
    pairs = [(query, key) for query in range(len(names)) for key in range(len(names))]
    return {
        "from position": [attention.tokens[query] + 1 for query, _ in pairs],
        "from": [names[query] for query, _ in pairs],
        "to position": [attention.tokens[key] + 1 for _, key in pairs],
        "to": [names[key] for _, key in pairs],
        "share": [weights[query][key] for query, key in pairs],
    }


def received_table(trace: Trace) -> FigureTable:
    """One row a token: the share of each head's attention that it receives, and the mean, its importance."""
    attention = attention_of(trace)
    importance = trace.layers[attention.layer - 1].importance
    table: dict[str, Sequence[Any]] = {
        "position": [index + 1 for index in attention.tokens],
        "token": [trace.tokens[index] for index in attention.tokens],
    }
    for number, shares in enumerate(attention.received, start=1):
        table[f"head {number}"] = [float(share) for share in shares]
    return table | {"mean": [importance[index] for index in attention.tokens]}


def importance_table(trace: Trace, layer: int) -> FigureTable:
    """One row a token that enters a layer: its importance, the threshold, and whether it stays."""
    at = trace.layers[layer - 1]
    entering = [index for index, share in enumerate(at.importance) if share is not None]
    return {
        "position": [index + 1 for index in entering],
        "token": [trace.tokens[index] for index in entering],
        "importance": [at.importance[index] for index in entering],
        "threshold": [at.threshold] * len(entering),
        "stays": [at.kept[index] for index in entering],
    }


def to_show(table: FigureTable) -> Any:
    """A table as a page shows it: numbers below zero have a true minus sign, which Streamlit itself has not.

    Only a table with such numbers is styled, as that takes long for large ones; what sorts is the numbers.
    """
    if not any(_is_number(cell) and cell < 0 for column in table.values() for cell in column):
        return table
    import pandas as pd  # not at the start: only who opens such a table needs it

    numeric = [name for name, column in table.items() if any(map(_is_number, column))]
    return pd.DataFrame(table).style.format(_short, subset=numeric, na_rep="")


def _is_number(cell: Any) -> bool:
    return isinstance(cell, Real) and not isinstance(cell, bool)


def _short(cell: Any) -> str:
    """Four decimals at most, as Streamlit's own cells have."""
    return with_minus(f"{cell:z.4f}".rstrip("0").rstrip("."))


def to_csv(table: FigureTable) -> str:
    """A table as CSV; an empty field where there is no number, and no text that a spreadsheet would run."""
    file = io.StringIO()
    writer = csv.writer(file)  # lines end as in RFC 4180, so that a bare CR in a cell is quoted as well
    writer.writerow(map(_as_text, table))
    writer.writerows(map(_as_text, row) for row in zip(*table.values(), strict=True))
    return file.getvalue()


def _as_text(cell: Any) -> Any:
    """A cell that is text to a spreadsheet, too: after an apostrophe what begins like a formula is shown."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
