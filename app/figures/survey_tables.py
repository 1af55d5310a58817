"""The numbers behind the pictures of a survey. Floats are not rounded."""

from collections.abc import Sequence

from app.figures.tables import FigureTable
from ltp_core.data.survey import Survey


def rows_table(found: Survey, classes: Sequence[str] = ()) -> FigureTable:
    """One row a text, those that flipped (or moved most) first; `row` is its place in the file, from 1.

    Labels have the names of the model's classes, if it has classes.
    """
    order = sorted(range(len(found.rows)), key=lambda place: -found.rows[place].moved)
    rows = [found.rows[place] for place in order]
    pairs = any(not isinstance(row.text, str) for row in rows)
    texts = {"text": [row.text if isinstance(row.text, str) else row.text[0] for row in rows]}
    if pairs:
        texts["second text"] = ["" if isinstance(row.text, str) else row.text[1] for row in rows]
    value = rows[0].dense.label is None
    return {
        "row": [place + 1 for place in order],
        **texts,
        "label": [row.gold if row.gold is None or not classes else classes[int(row.gold)] for row in rows],
        "dense": [row.dense.value if value else row.dense.label for row in rows],
        "dense probability": [row.dense.probability for row in rows],
        "pruned": [row.pruned.value if value else row.pruned.label for row in rows],
        "pruned probability": [row.pruned.probability for row in rows],
        "flipped": [row.flipped for row in rows],
        "tokens": [row.tokens for row in rows],
        "tokens left": [" ".join(map(str, row.alive)) for row in rows],
        "dense FLOPs": [row.dense_flops for row in rows],
        "pruned FLOPs": [row.flops for row in rows],
    }


def curve_table(found: Survey) -> FigureTable:
    """One row a point."""
    return {
        "thresholds times": [point.factor for point in found.curve],
        "dense / pruned FLOPs": [point.flops_reduction for point in found.curve],
        found.metric: [point.score for point in found.curve],
        "same answer as dense": [point.agreement for point in found.curve],
    }


def kept_table(found: Survey) -> FigureTable:
    """One row a layer."""
    shares = found.kept_per_layer
    return {"layer": list(range(1, len(shares) + 1)), "share of tokens left": shares}


def words_table(found: Survey) -> FigureTable:
    """One row a different token, first to go first."""
    fates = sorted(found.fates, key=lambda fate: (fate.layers, -fate.count))
    return {
        "token": [fate.token for fate in fates],
        "occurrences": [fate.count for fate in fates],
        "layers survived, on average": [fate.layers for fate in fates],
        "share gone in the first half": [fate.first for fate in fates],
    }
