"""Pruning for real: tokens that leave are no longer computed. A batch is packed, without padding.

The tokens of a batch lie behind one another in one ``[T, D]`` tensor. Linear layers run over it as it
is; attention runs over each sequence by itself (`ltp_core.forward.attention`). What cannot change the
logits is not computed:

- a layer whose importance nobody reads runs fused attention;
- of a text with more tokens than queries are averaged over (K), only K rows of scores are computed for the
  importance, and attention is fused: no n x n matrix is formed, and memory grows with n;
- context, output projection and FFN are computed only for the tokens that stay;
- where the head reads ``[CLS]`` alone, the last layer puts out ``[CLS]`` alone (in dense runs too). A rule
  that looks into the last layer still gets its scores, which tell how many tokens are left.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from ltp_core.architectures import EncoderView
from ltp_core.forward.attention import context_of, observed_attention
from ltp_core.rules import Rule, first_tokens, original_positions
from ltp_core.run import Inputs, Run

# Pairs of tokens (a head's scores) that run at once. On a CPU what is larger falls out of the cache and
# makes the system hand out fresh memory in each layer; elsewhere the limit only bounds memory.
PAIRS = {"cpu": 2**18, "elsewhere": 2**22}


def removed_forward(
    view: EncoderView,
    inputs: Inputs,
    rule: Rule,
    record: bool = False,
    attention_layer: int | None = None,
    queries: int | None = None,
) -> Run:
    """Run an encoder over the tokens that are alive, layer by layer.

    Args:
        view: the encoder.
        inputs: a padded batch. A large one runs in parts, one after another.
        rule: who stays. It is asked about each part by itself.
        record: compute the importance in every layer, also where the rule does not need it.
        attention_layer: keep the attention probabilities of this layer (1 is the first).
        queries: how many of each text the importance is averaged over, see `ltp_core.importance`; None for
            all.

    Returns:
        A `Run` with bool masks.
    """
    cuts = parts(inputs.attention_mask)
    if len(cuts) == 1:
        return _forward(view, inputs, rule, record, attention_layer, queries)
    return joined(
        [_forward(view, inputs.rows(*cut), rule.rows(*cut), record, attention_layer, queries) for cut in cuts]
    )


def _forward(
    view: EncoderView,
    inputs: Inputs,
    rule: Rule,
    record: bool,
    attention_layer: int | None,
    queries: int | None,
) -> Run:
    """One part. T below is the number of tokens alive in it, T' that of the tokens a layer puts out."""
    alive = inputs.attention_mask.bool()  # [B, n]
    first = first_tokens(inputs.attention_mask)  # [B, n]
    lengths = counts(alive)
    place = alive.flatten().nonzero().squeeze(1)  # [T], where each packed token stands on the flat grid
    positions = take(original_positions(inputs.attention_mask).flatten(), place)  # [T]
    embedded = view.embed(inputs.packed(place), positions.unsqueeze(0))  # [1, T, E]
    hidden = view.start(embedded.squeeze(0))  # [T, D]
    unread = torch.zeros(alive.shape, device=alive.device)  # [B, n], the importance that nobody computed
    carry: Any = None
    attention: list[Tensor] | None = None
    masks: list[Tensor] = []
    importances: list[Tensor | None] = []

    layers = view.layers
    for number, layer in enumerate(layers, start=1):
        observed = record or number == attention_layer or rule.needs_importance(number)
        importance = unread
        if observed:
            query, key, value = layer.qkv(hidden, positions)  # [T, H, d] each
            matrices, shares = observed_attention(layer, query, key, positions, lengths, queries)
            importance = unread.masked_scatter(alive, shares.float())
            if number == attention_layer:  # whoever asks for a matrix gets it whole
                whole, _ = observed_attention(layer, query, key, positions, lengths)
                attention = [matrix for matrix in whole if matrix is not None]

        kept, carry = rule.keep(importance, alive, number, carry)  # [B, n]
        kept = (kept & alive) | first
        output = first if view.reads_first_token and number == len(layers) else kept
        staying = counts(output)
        rows = None  # [T'], the packed tokens that this layer puts out; None for all
        if staying != lengths:
            rows = output.masked_select(alive).nonzero().squeeze(1)

        asking = take(positions, rows)  # [T']
        if observed:
            matrices = [_dropped(matrix, layer.dropout_p) for matrix in matrices]
            if any(matrix is None for matrix in matrices):
                query = take(query, rows)  # [T', H, d]
        else:
            query, key, value = layer.qkv(hidden, positions, rows)  # [T', H, d], [T, H, d] twice
            matrices = [None] * len(lengths)
        places = (asking, positions)
        context = context_of(
            layer, matrices, (query, key, value), places, rows, lengths, staying
        )  # [T', H, d]
        matrices = []  # gives their memory to the FFN
        hidden = layer.feed_forward(layer.attend_output(context, take(hidden, rows)))  # [T', D]
        positions, lengths, alive = asking, staying, kept
        masks.append(kept)
        importances.append(importance if observed else None)

    logits = view.head(*padded(view.finish(hidden), lengths))
    return Run(logits, tuple(masks), tuple(importances), None if attention is None else tuple(attention))


def _dropped(matrix: Tensor | None, p: float) -> Tensor | None:
    """Attention dropout, which a model in training mode may have."""
    return dropout(matrix, p) if p > 0 and matrix is not None else matrix


def take(packed: Tensor, rows: Tensor | None) -> Tensor:
    """Some tokens of ``[T, ...]``, by their indices ``[T']``; all for None -> ``[T', ...]``."""
    return packed if rows is None else packed.index_select(0, rows)


def counts(mask: Tensor) -> list[int]:
    """How many are true in each row, ``[B, n]`` -> B numbers."""
    numbers: list[int] = mask.sum(dim=-1).tolist()
    return numbers


def padded(packed: Tensor, lengths: list[int]) -> tuple[Tensor, Tensor]:
    """Packed ``[T, D]`` -> ``[B, longest, D]``, zeros behind, and which of it is real ``[B, longest]``."""
    if len(set(lengths)) == 1:
        grid = packed.unflatten(0, (len(lengths), -1))
        return grid, torch.ones(grid.shape[:2], dtype=torch.bool, device=packed.device)
    columns = torch.arange(max(lengths), device=packed.device)
    real = columns < torch.tensor(lengths, device=packed.device).unsqueeze(1)  # [B, longest]
    grid = packed.new_zeros(*real.shape, packed.shape[-1])
    grid[real] = packed
    return grid, real


def parts(mask: Tensor) -> list[tuple[int, int]]:
    """Cut the rows of ``[B, n]`` into runs, of one at least, with at most `PAIRS` scores a head in each.

    Returns:
        The first row of each run, and the one after its last.
    """
    limit = PAIRS["cpu" if mask.device.type == "cpu" else "elsewhere"]
    rows = mask.shape[0]
    if rows * mask.shape[1] ** 2 <= limit:
        return [(0, rows)]
    starts, pairs = [0], 0
    for row, length in enumerate(counts(mask.bool())):
        if row > starts[-1] and pairs + length**2 > limit:
            starts.append(row)
            pairs = 0
        pairs += length**2
    return list(zip(starts, [*starts[1:], rows], strict=True))


def joined(runs: list[Run]) -> Run:
    """The runs of a batch's parts -> the run of the batch."""
    attention = [] if runs[0].attention is None else [run.attention or () for run in runs]
    return Run(
        logits=torch.cat([run.logits for run in runs]),
        masks=tuple(torch.cat(layer) for layer in zip(*(run.masks for run in runs), strict=True)),
        importance=tuple(
            None if any(part is None for part in layer) else torch.cat(layer)
            for layer in zip(*(run.importance for run in runs), strict=True)
        ),
        attention=sum(attention, ()) if attention else None,
    )
