"""Which rows make a batch: such of like length, so that little is padded."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class LikeLengths(Sampler[int]):
    """Rows in such an order that each batch holds like lengths, and the batches come in random order.

    The Trainer's own grouping goes from the longest batch to the shortest, again and again. How much a
    threshold prunes depends on the length, so the FLOPs would rise and fall with that, and what steers
    them after it.

    Args:
        lengths: tokens of each row.
        batch_size: rows of a batch.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int) -> None:
        self.lengths, self.batch_size = lengths, batch_size

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """All rows, once; drawn from PyTorch's generator, which the Trainer seeds and restores."""
        grouped = get_length_grouped_indices(self.lengths, self.batch_size)
        batches = [grouped[i : i + self.batch_size] for i in range(0, len(grouped), self.batch_size)]
        short = batches.pop() if len(batches[-1]) < self.batch_size else []  # where a loader expects it
        for place in torch.randperm(len(batches)).tolist():
            yield from batches[place]
        yield from short
