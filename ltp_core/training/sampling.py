"""Which rows make a batch: such of like length, so that little is padded."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices

PRIME = 1_000_003  # keeps one seed's epochs apart from another's


class LikeLengths(Sampler[int]):
    """Rows in such an order that each batch holds like lengths, and the batches come in random order.

    The Trainer's own grouping goes from the longest batch to the shortest, again and again. How much a
    threshold prunes depends on the length, so the FLOPs would rise and fall with that, and what steers
    them after it. An epoch's order follows from seed and epoch alone, so that a run which was interrupted
    goes on in the same order, and all processes draw the same.

    Args:
        lengths: tokens of each row.
        batch_size: rows of a batch.
        seed: of the orders.

    Attributes:
        epoch: which one is next.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int = 0) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """All rows, once."""
        draws = torch.Generator().manual_seed(self.seed + PRIME * self.epoch)
        grouped = get_length_grouped_indices(self.lengths, self.batch_size, generator=draws)
        batches = [grouped[i : i + self.batch_size] for i in range(0, len(grouped), self.batch_size)]
        short = batches.pop() if len(batches[-1]) < self.batch_size else []  # where a loader expects it
        for place in torch.randperm(len(batches), generator=draws).tolist():
            yield from batches[place]
        yield from short


class EpochOrder(TrainerCallback):
    """Tells a sampler which epoch begins; also in a run that goes on, where the Trainer itself does not."""

    def __init__(self, sampler: LikeLengths) -> None:
        self.sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Within an epoch that was interrupted, its number is rounded down."""
        self.sampler.epoch = int(state.epoch or 0)
