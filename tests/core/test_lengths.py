"""Length configurations: FLOPs from lengths alone, the search's front, and meeting a target."""

import itertools

import pytest
import torch
from torch.nn.functional import cross_entropy

from ltp_core import LengthConfig, PrunedModel, TopK
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.training.lengths import (
    Candidate,
    falling_at,
    lengths_at,
    pareto,
    read_search,
    reduction_of,
    search_lengths,
    token_counts,
    write_search,
)
from tests.some import some

WORDS = ["good", "bad", "the", "a", "film", "plot", "it", "was", "very", "and", "of", "so"]
ROWS = Rows(
    [" ".join(WORDS[(i * k) % 12] for k in range(1, 4 + i)) for i in range(1, 19)], [i % 3 for i in range(18)]
)


@pytest.fixture
def found(model):
    return search_lengths(model, ROWS, start=5, generations=3, children=4)


@pytest.mark.parametrize("rule", [TopK, LengthConfig])
@pytest.mark.parametrize("shares", [[1, 1, 1], [0.7, 0.5, 0.21], [0.05, 0.05, 0.05]])
def test_flops_from_lengths_are_the_engines(model, rule, shares):
    counts = token_counts(model, ROWS)
    assert counts == [3 + i + 2 for i in range(1, 19)]
    measured = run_rows(model, ROWS, rule(shares)).flops_reduction
    assert reduction_of(model.dimensions, counts, shares) == pytest.approx(measured)


def test_a_cut_row_counts_as_it_is_read(model):
    assert token_counts(model, Rows(["film " * 99, "film"], [0, 0]), 10) == [10, 3]
    assert token_counts(model, Rows([("a film", "so")], [0])) == [6]


def test_pareto_on_paper():
    def at(reduction, loss):
        return Candidate((1.0,), reduction, loss)

    dull, fast, best, equal = at(1.2, 0.9), at(3.0, 0.8), at(2.0, 0.5), at(1.5, 0.5)
    assert pareto([dull, fast, best, equal]) == [best, fast]
    assert pareto([at(1.0, 0.1), best, at(2.0, 0.4)]) == [at(1.0, 0.1), at(2.0, 0.4)]


def test_the_front_is_what_the_model_does_and_beats_its_start(model, found):
    assert len(found) > 1
    for low, high in some(itertools.pairwise(found)):
        assert low.flops_reduction < high.flops_reduction and low.loss < high.loss
    batch, _ = model.encode(ROWS.texts)
    for one in found:
        assert list(one.shares) == sorted(one.shares, reverse=True)
        with torch.no_grad():
            logits = model(**batch, rule=LengthConfig(one.shares), execution="masked").logits
        assert one.loss == pytest.approx(cross_entropy(logits, torch.tensor(ROWS.labels)).item(), rel=1e-4)
    start = search_lengths(model, ROWS, start=5, generations=0)
    for one in some(start):  # evolution loses nothing of what it started from
        assert any(x.flops_reduction >= one.flops_reduction and x.loss <= one.loss for x in found)
    assert {x.shares for x in found} - {x.shares for x in start}  # and finds something


def test_the_search_depends_on_its_seed_alone(model, found):
    told = []
    again = search_lengths(
        model,
        ROWS,
        start=5,
        generations=3,
        children=4,
        progress=lambda done, total: told.append((done, total)),
    )
    assert again == found
    assert told[-1][0] <= told[-1][1] == 17
    assert search_lengths(model, ROWS, start=5, generations=3, children=4, seed=1) != found


def test_regressions_are_searched_too(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer)
    front = search_lengths(model, Rows(ROWS.texts, [float(i) for i in range(18)]), start=3, generations=1)
    assert all(one.loss > 0 for one in some(front))


@pytest.mark.parametrize("target", [1.0, 1.4, 2.0])
def test_targets_are_met(model, found, target):
    size, counts = model.dimensions, token_counts(model, ROWS)
    for shares in (falling_at(size, counts, target), lengths_at(found, size, counts, target)):
        assert reduction_of(size, counts, shares) == pytest.approx(target, rel=0.05)
        LengthConfig(shares).check(3)


def test_ceilings_are_named(model, found):
    size, counts = model.dimensions, token_counts(model, ROWS)
    with pytest.raises(ValueError, match=f"the ceiling is {found[-1].flops_reduction:.2f}"):
        lengths_at(found, size, counts, 50)
    with pytest.raises(ValueError, match="the ceiling is"):
        falling_at(size, counts, 50)


def test_a_search_is_stored(found, tmp_path):
    write_search(tmp_path, found, 18)
    assert read_search(tmp_path) == found
    (tmp_path / "lat.json").write_text("{")
    with pytest.raises(ValueError, match=r"no readable lat\.json"):
        read_search(tmp_path)
