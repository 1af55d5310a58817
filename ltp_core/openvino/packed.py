"""Several texts in one row of places: how a batch of short texts runs.

A short text takes nearly as long as reading the weights does. So as many as fit read them together, and the
survivors of all move up between two blocks: in linear layers nothing is padded but the end of the row. For
attention, where none sees another, each text is laid into seats of its own, as many as the longest needs.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltp_core.architectures import score_bias, view_of
from ltp_core.openvino.graph import UNSEEN, names

# Sizes that a row may have: few, since OpenVINO prepares for each, and near, since padding is computed.
PLACES = (*range(32, 256, 32), *range(256, 512, 64), *range(512, 1024, 128), *range(1024, 2049, 256))
TEXTS = (2, 4, 8, 16, 32, 64)
SEATS = (8, 16, 32, 64)  # of each text
LEAST = 128  # tokens of a row: with fewer, a thread for each text is as fast


class PackedGraph(nn.Module):
    """All layers over P places, which hold T texts one behind the other; the rest is padding.

    The importance is averaged over all queries of a text, so a text has no more of them than a sample would.

    Args:
        hf_model: a supported Hugging Face model whose head reads the first token, in evaluation mode.
    """

    def __init__(self, hf_model: Any) -> None:
        super().__init__()
        self.hf_model = hf_model

    def forward(
        self, hidden: Tensor, positions: Tensor, alive: Tensor, cutoffs: Tensor, seats: Tensor, seated: Tensor
    ) -> tuple[Tensor, ...]:
        """Run all layers.

        Args:
            hidden: ``[P, D]``, what enters the first layer.
            positions: long ``[P]``, of each token in its own text.
            alive: float ``[P]``, 1 for a token and 0 for padding.
            cutoffs: float ``[P, L]``, each layer's threshold as it acts on the text of each token.
            seats: long ``[P]``, which of the T S seats is each place's.
            seated: long ``[T, S]``, which place is at each seat; -1 at an empty one.

        Returns:
            As `graph.names` has it, without a sample; the logits are ``[T, C]``.
        """
        view = view_of(self.hf_model)
        taken, seated = (seated >= 0).float(), seated.clamp(min=0)  # [T, S]
        there, begin, first = seated.flatten(), seated[:, 0], positions == 0
        asking = positions.index_select(0, there).view_as(seated)  # [T, S]
        found: list[Tensor] = []
        for number, (layer, cutoff) in enumerate(zip(view.layers, cutoffs.unbind(1), strict=True), start=1):
            query, key, value = (
                part.index_select(0, there).unflatten(0, seated.shape).transpose(1, 2)
                for part in layer.qkv(hidden, positions)
            )  # [T, H, S, d] each
            present = alive.index_select(0, there).view_as(seated) * taken  # [T, S]
            unseen = ((1 - present) * UNSEEN)[:, None, None]  # [T, 1, 1, S]
            bias = score_bias(layer, query, key, asking, asking)
            unseen = unseen if bias is None else unseen + bias
            attention = (query @ key.transpose(2, 3) * layer.scale + unseen).softmax(dim=-1)  # [T, H, S, S]
            weights = present / present.sum(dim=1, keepdim=True).clamp(min=1)
            share = (attention.mean(dim=1) * weights.unsqueeze(2)).sum(dim=1)  # [T, S]
            share = share.flatten().index_select(0, seats)  # [P]
            alive = alive * ((share >= cutoff) | first).to(alive.dtype)
            if number == len(view.layers):  # the head reads nothing else
                context = (attention[:, :, :1] @ value).squeeze(2)  # [T, H, d]
                hidden = hidden.index_select(0, begin)
            else:
                context = (attention @ value).transpose(1, 2).flatten(0, 1).index_select(0, seats)
            hidden = layer.attend_output(context, hidden)  # [P or T, D]
            found += [hidden, alive, share]
            hidden = layer.feed_forward(hidden)
        last = view.finish(hidden).unsqueeze(1)  # [T, 1, D]
        return (view.head(last, torch.ones_like(last[..., 0])), *found)


def seating(owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the tokens of some texts sit, and who sits there.

    Args:
        owners: long ``[m]``, the number of each token's text, rising from 0 without a gap.

    Returns:
        ``(seats, seated)``: long ``[P]`` and ``[T, S]``, as `PackedGraph` reads them; there are few sizes.
    """
    counts = np.bincount(owners)
    begins = np.cumsum(counts) - counts
    inside = np.arange(len(owners)) - begins[owners]
    places, *shape = (
        sizes[bisect_left(sizes, most)]
        for sizes, most in ((PLACES, len(owners)), (TEXTS, len(counts)), (SEATS, counts.max()))
    )
    seats = np.zeros(places, dtype=np.int64)
    seats[: len(owners)] = owners * shape[1] + inside
    seated = np.full(shape, -1, dtype=np.int64)
    seated[owners, inside] = np.arange(len(owners))
    return seats, seated


def packed_names(layers: int) -> list[str]:
    """What `PackedGraph` puts out, in order, as `graph.names` calls it: its first input is from outside."""
    return [name for name in names(layers, sampled=False) if name != "hidden.0"]


def shared_rows(lengths: Sequence[int], most: int) -> tuple[list[list[int]], list[int]]:
    """Which texts share a row: those of like length, as all get as many seats as the longest.

    Args:
        lengths: tokens of each text.
        most: tokens of a text that may share one.

    Returns:
        The texts of each row, by index, and those that are alone.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    short = [index for index in order if lengths[index] <= min(most, SEATS[-1])]
    found: list[list[int]] = []
    used = PLACES[-1]
    for index in short:
        used += lengths[index]
        if used > PLACES[-1] or len(found[-1]) == TEXTS[-1]:
            found.append([])
            used = lengths[index]
        found[-1].append(index)
    together = [row for row in found if len(row) > 1 and sum(lengths[one] for one in row) >= LEAST]
    shared = {index for row in together for index in row}
    return together, [index for index in order if index not in shared]
