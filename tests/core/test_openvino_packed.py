"""Several texts in one row of places: each is answered as if it were alone."""

from bisect import bisect_left

import numpy as np
import pytest
import torch

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.onnx.classifier import Known
from tests.core.families import wrapped
from tests.some import some

pytest.importorskip("openvino", reason="the extra `fast` is not installed")

from ltp_core.openvino import OpenVinoModel, cached_openvino, export_openvino
from ltp_core.openvino.convert import packed_beside
from ltp_core.openvino.open_blocks import OpenBlocks
from ltp_core.openvino.packed import PLACES, TEXTS, seating, shared_rows
from tests.core.openvino_setup import RULES, cache  # noqa: F401

TEXTS_OF_ALL_LENGTHS = [
    "good",
    "the film was very good and the plot so so",
    "bad " * 40,
    "a film",
    "the plot was bad and the film was good",
    *(f"the film was {'very ' * times}good" for times in range(20)),
]


@pytest.fixture(scope="module")
def pruned(tiny_bert, make_tokenizer):
    """Averages its importance over 20 queries, so one of the texts is too long for a row with others."""
    return PrunedModel(tiny_bert(), make_tokenizer(), [0.06, 0.09, 0.12], Settings(6, 20), name="tiny")


@pytest.fixture(scope="module")
def chain(pruned):
    return cached_openvino(pruned)


def test_texts_of_like_length_share_a_row():
    assert shared_rows([43, 44, 45], most=64) == ([[0, 1, 2]], [])
    assert shared_rows([63, 70, 64, 62], most=64) == ([[3, 0, 2]], [1])
    assert shared_rows([63, 70, 64, 62], most=512) == ([[3, 0, 2]], [1])  # there are no seats for 70
    assert shared_rows([30, 31, *[29] * 5], most=30) == ([[2, 3, 4, 5, 6, 0]], [1])
    assert shared_rows([3, 4, 5], most=64) == ([], [0, 1, 2])  # too few tokens for it to pay
    assert shared_rows([], most=64) == ([], [])
    lengths = [60, 2] * 80
    together, alone = shared_rows(lengths, most=64)
    assert max(len(row) for row in together) <= TEXTS[-1]
    assert max(sum(lengths[i] for i in row) for row in together) <= PLACES[-1]
    assert [lengths[i] for row in together for i in row] == [2] * 80 + [60] * 80 and not alone
    assert sorted(index for row in together for index in row) == list(range(160))


def test_each_token_has_a_seat_of_its_own():
    owners = np.repeat([0, 1, 2], [5, 40, 1])
    seats, seated = seating(owners)
    assert len(seats) == 64 and seated.shape == (4, 64)
    assert np.array_equal(seated.flatten()[seats[:46]], np.arange(46))
    assert np.array_equal(np.flatnonzero(seated[1] >= 0), np.arange(40)) and (seated[3] == -1).all()


@pytest.mark.parametrize("rule", RULES)
def test_each_is_answered_as_the_masked_reference_does_alone(pruned, chain, rule, monkeypatch):
    shared = []
    packed = OpenVinoModel._answer_packed
    count = lambda self, texts, *rest: shared.append(len(texts)) or packed(self, texts, *rest)  # noqa: E731
    monkeypatch.setattr(OpenVinoModel, "_answer_packed", count)
    batch, _ = pruned.encode(TEXTS_OF_ALL_LENGTHS)
    with torch.inference_mode():
        expected = pruned(**batch, rule=rule, execution="masked", record=True)
    for record in (True, False):
        found = chain(**batch, rule=rule, record=record)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
        assert torch.equal(found.alive, expected.alive)
        for mine, theirs in zip(found.run.masks, expected.run.masks, strict=True):
            assert torch.equal(mine, theirs)
        if record:
            entering = batch["attention_mask"].bool()
            for mine, theirs, mask in zip(
                found.run.importance, expected.run.importance, expected.run.masks, strict=True
            ):
                torch.testing.assert_close(mine[entering], theirs[entering], atol=1e-5, rtol=1e-5)
                entering = mask.bool()
    assert sum(shared) > 20 and max(shared) > 8  # or it was nothing that this test is about


@pytest.mark.parametrize("name", ["roberta", "mpnet", "albert-groups", "modernbert-mean"])
def test_other_families(name):
    """One of them averages over its tokens, so each text runs alone."""
    model = wrapped(name)
    model.name = f"{name}-packed"
    chain = cached_openvino(model)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 70, (12, 24), generator=generator)
    mask = (torch.arange(24) < torch.tensor([[24], [3], [12], [7], [20], [9]] * 2)).long()
    for rule in (Dense(), Thresholds([0.045, 0.06, 0.1])):
        with torch.inference_mode():
            expected = model(ids, mask, rule=rule, execution="masked")
        found = chain(ids, mask, rule=rule)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
        assert torch.equal(found.alive, expected.alive)
    assert found.alive[:, -1].sum() < mask.sum()
    assert packed_beside(chain.blocks.file).is_file() == (name != "modernbert-mean")


def test_a_row_grows_shorter_with_all_of_its_texts(pruned, chain, monkeypatch):
    ran = []
    run = OpenBlocks.run

    def spy(self, block, inputs, rows):
        ran.append(((block.after, block.to), len(inputs["seats"])))
        return run(self, block, inputs, rows)

    monkeypatch.setattr(OpenBlocks, "run", spy)
    batch, _ = pruned.encode(["the film was very very good"] * 20)
    alive = chain(**batch, rule=Thresholds([0.12, 0.0, 0.2]), record=False).alive
    assert some(ran) == [((0, 1), 160), ((1, 3), PLACES[bisect_left(PLACES, int(alive[:, 0].sum()))])]
    assert ran[1][1] < 160 and int(batch["attention_mask"].sum()) == 160  # one row for all, and shorter


def test_eight_bits(pruned):
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    chain = cached_openvino(pruned, "int8")
    batch, _ = pruned.encode(TEXTS_OF_ALL_LENGTHS)
    together = chain(**batch).logits
    alone = torch.cat([chain(**pruned.encode([text])[0]).logits for text in TEXTS_OF_ALL_LENGTHS])
    with torch.inference_mode():
        exact = pruned(**batch).logits
    assert 0 < (together - exact).abs().mean() < 0.2 * exact.abs().mean()
    assert (together - alone).abs().mean() < 0.2 * exact.abs().mean()


def test_an_exported_folder_holds_it_and_works_without(pruned, tmp_path):
    export_openvino(pruned, tmp_path / "out")
    texts = TEXTS_OF_ALL_LENGTHS[:6]
    expected = [one.probabilities for one in pruned.predict(texts)]
    for present in (True, False):
        graph = tmp_path / "out" / "openvino.xml"
        assert packed_beside(graph).is_file() == present
        found = OpenVinoModel(graph, Known.of(pruned)).predict(texts)
        for mine, theirs in zip(found, expected, strict=True):
            assert mine.probabilities == pytest.approx(theirs, abs=1e-4)
        if present:
            packed_beside(graph).unlink()
