"""Batches of like length, in random order."""

import torch

from ltp_core.training.sampling import LikeLengths

LENGTHS = [3 + (7 * row) % 61 for row in range(1013)]


def batches(seed, size=8):
    torch.manual_seed(seed)
    rows = list(LikeLengths(LENGTHS, size))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def test_every_row_comes_once():
    assert sorted(row for batch in batches(0) for row in batch) == list(range(1013))
    assert len(LikeLengths(LENGTHS, 8)) == 1013


def test_a_batch_holds_like_lengths():
    padded = sum(len(batch) * max(LENGTHS[row] for row in batch) for batch in batches(0))
    assert padded < 1.1 * sum(LENGTHS)  # in random batches: 1.7


def test_long_and_short_batches_come_mixed():
    means = torch.tensor([sum(LENGTHS[row] for row in batch) / len(batch) for batch in batches(0)])
    after = torch.corrcoef(torch.stack([means[:-1], means[1:]]))[0, 1]
    assert abs(after) < 0.25  # sorted from long to short: near 1


def test_the_seed_decides():
    assert batches(1) == batches(1)
    assert batches(1) != batches(2)


def test_fewer_rows_than_a_batch():
    assert sorted(LikeLengths([5, 9, 2], 8)) == [0, 1, 2]
