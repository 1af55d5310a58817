"""From a run over a batch to plain numbers, one trace a text."""

from typing import Any

from ltp_core.rules import Rule
from ltp_core.run import Run
from ltp_core.trace import AttentionTrace, LayerTrace, Trace


def traces_of(
    batch: Any,
    run: Run,
    rule: Rule,
    truncated: list[int],
    attention_layer: int | None,
    queries: int | None,
) -> list[Trace]:
    """Turn one run over a batch into plain numbers, one trace a text."""
    masks = [mask.tolist() for mask in run.masks]  # L times [B][n]
    importance = [values.tolist() for values in run.importance if values is not None]  # L times [B][n]
    traces = []
    for row, real in enumerate(batch["attention_mask"].bool().tolist()):
        at = [column for column, is_real in enumerate(real) if is_real]
        entering = [True] * len(at)
        layers, attention = [], None
        for number, (mask, share) in enumerate(zip(masks, importance, strict=True), start=1):
            shares = tuple(share[row][c] if was else None for c, was in zip(at, entering, strict=True))
            kept = tuple(bool(mask[row][c]) for c in at)
            alive = sum(entering)
            averaged = alive if queries is None else min(alive, queries)
            layers.append(LayerTrace(number, rule.cutoff(number, len(at)), shares, kept, averaged))
            if run.attention is not None and number == attention_layer:
                heads = run.attention[row].float().cpu().numpy()
                tokens = tuple(i for i, was in enumerate(entering) if was)
                attention = AttentionTrace(number, tokens, heads, averaged)
            entering = list(kept)
        names = batch.tokens(row)
        segments = batch.sequence_ids(row)
        second = next((i for i, s in enumerate(segments) if s == 1), len(segments))
        traces.append(
            Trace(
                tokens=tuple(names[c] for c in at),
                segments=tuple(int(c >= second) for c in at),
                truncated_tokens=truncated[row],
                layers=tuple(layers),
                attention=attention,
            )
        )
    return traces
