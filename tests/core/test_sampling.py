"""Batches of like length, in random order."""

import torch

from ltp_core.training.sampling import LikeLengths

LENGTHS = [3 + (7 * row) % 61 for row in range(1013)]


def batches(seed, size=8, epoch=0):
    sampler = LikeLengths(LENGTHS, size, seed)
    sampler.epoch = epoch
    rows = list(sampler)
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


def test_seed_and_epoch_decide_and_nothing_else_does():
    first = batches(1)
    torch.rand(5)  # as dropout does, differently on each process
    assert batches(1) == first
    assert batches(2) != first != batches(1, epoch=1)


def test_fewer_rows_than_a_batch():
    assert sorted(LikeLengths([5, 9, 2], 8)) == [0, 1, 2]
