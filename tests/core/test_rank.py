"""Rerankers: the order is that of Hugging Face's own numbers; on a small made set pruning keeps it."""

import math

import pytest
import torch

from ltp_core import Dense, PrunedModel
from ltp_core.calibration import calibrate
from ltp_core.data.orders import ndcg, order_kept

DOCUMENTS = ["bad", "a good film and a good plot", "the film", "so so so so", "it was very very good", "film"]

# Made by hand: a query, and documents from nearly the same down to something else, with what they are worth.
MADE = [
    (
        "A man is playing a guitar.",
        [
            ("A person plays a guitar.", 3),
            ("A man is playing a flute.", 1),
            ("A man is eating food.", 0),
            ("The parliament passed a new law.", 0),
            ("Someone is playing an instrument.", 2),
        ],
    ),
    (
        "The company reported higher profits this year.",
        [
            ("Profits of the firm rose this year.", 3),
            ("The company will build a new factory.", 1),
            ("A cat sleeps on the sofa.", 0),
            ("The firm earned more money than last year, it said.", 3),
            ("The company reported a loss this year.", 1),
        ],
    ),
    (
        "A dog runs through the snow.",
        [
            ("A brown dog is running in the snow.", 3),
            ("A dog swims in a lake.", 1),
            ("Children play in the snow.", 1),
            ("The train to Berlin is late.", 0),
            ("An animal is moving through snow.", 2),
        ],
    ),
    (
        "How do I bake bread?",
        [
            ("A recipe for baking bread at home.", 3),
            ("Bread is sold in the supermarket.", 1),
            ("How do I fix a bicycle?", 0),
            ("The way to make bread in an oven.", 3),
            ("The football match ended in a draw.", 0),
        ],
    ),
]


@pytest.fixture(scope="module")
def model(tiny_bert, make_tokenizer):
    return PrunedModel(tiny_bert(num_labels=1), make_tokenizer(), (0.05, 0.08, 0.1))


def test_the_order_is_that_of_hugging_faces_numbers(model):
    expected = []
    for document in DOCUMENTS:
        batch = model.tokenizer("a film", document, return_tensors="pt")
        with torch.no_grad():
            expected.append(float(model.hf_model(**batch).logits))
    for batch_size in (1, 4, 32):
        found = model.rank("a film", DOCUMENTS, rule=Dense(), batch_size=batch_size)
        assert [x.document for x in found] == sorted(range(6), key=lambda n: -expected[n])
        assert [x.score for x in found] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)


def test_the_best_come_with_their_traces(model):
    found = model.rank("a film", DOCUMENTS, top_k=2)
    whole = model.rank("a film", DOCUMENTS)
    assert [(x.document, x.score) for x in found] == [(x.document, x.score) for x in whole[:2]]
    for each in found:
        alone = model.predict(("a film", DOCUMENTS[each.document]))
        assert each.prediction.trace.alive == alone.trace.alive
        assert each.score == pytest.approx(alone.value, abs=1e-5)
    assert any(x.prediction.trace.alive[-1] < len(x.prediction.trace.tokens) for x in whole)
    assert [x.document for x in model.rank("a film", ["bad", "bad"])] == [0, 1]  # equal ones as given


@pytest.mark.parametrize(
    ("documents", "options", "says"),
    [
        ([], {}, "there is no document"),
        (["good", " "], {}, "document 1 or the query is empty"),
        (["good"], {"top_k": 0}, "must be at least 1"),
        (["good"], {"batch_size": 0}, "must be at least 1"),
        (["good", None], {}, "holds something that is no Unicode text"),
    ],
)
def test_bad_input(model, documents, options, says):
    with pytest.raises(ValueError, match=says):
        model.rank("a film", documents, **options)


def test_a_model_with_classes_does_not_rank(tiny_bert, make_tokenizer):
    with pytest.raises(ValueError, match="rank needs a model with one output; this one has 3"):
        PrunedModel(tiny_bert(), make_tokenizer()).rank("a", ["b"])


def test_thresholds_from_pairs_without_labels(tiny_bert, make_tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), make_tokenizer())
    pairs = [(query, document) for query in ("a film", "it was good") for document in DOCUMENTS]
    found = calibrate(model, pairs, 1.3).found
    assert found.flops_reduction == pytest.approx(1.3, rel=0.05) and len(found.thresholds) == 3


def test_ndcg_on_paper():
    # In the order of the scores the gains are 1, 3, 0: 1 + 3 / log2(3) = 2.892789; best 3 + 1 / log2(3).
    gains = [3, 0, 1]
    assert ndcg([0.5, 0.1, 0.9], gains) == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    assert ndcg([0.9, 0.1, 0.5], gains) == 1.0 and ndcg([1, 2], [0, 0]) == 1.0
    assert ndcg([0.5, 0.1, 0.9], gains, first=1) == pytest.approx(1 / 3)


def test_order_kept_on_paper():
    assert order_kept([3, 2, 1], [3, 1, 2]) == pytest.approx(2 / 3)
    assert order_kept([3, 2, 1], [1, 2, 3]) == 0 and order_kept([1, 1], [1, 2]) == 1.0
    assert order_kept([2, 1], [1, 1]) == 0


def test_pruning_keeps_the_order_of_a_small_made_set():
    model = PrunedModel.from_pretrained("stsb")
    values, kept, reduction = {"dense": [], "pruned": []}, [], []
    for query, rated in MADE:
        documents, gains = zip(*rated, strict=True)
        scores = {}
        for name, rule in (("dense", Dense()), ("pruned", None)):
            ranked = model.rank(query, documents, rule=rule)
            by_number = {x.document: x.score for x in ranked}
            scores[name] = [by_number[number] for number in range(len(documents))]
            values[name].append(ndcg(scores[name], gains))
            if rule is None:
                reduction += [x.prediction.flops_reduction for x in ranked]
        kept.append(order_kept(scores["dense"], scores["pruned"]))
    mean = {name: sum(found) / len(found) for name, found in values.items()}
    print(mean, sum(kept) / len(kept), sum(reduction) / len(reduction))
    assert mean["dense"] > 0.95 and mean["pruned"] > mean["dense"] - 0.05
    assert sum(kept) / len(kept) > 0.85
    assert sum(reduction) / len(reduction) > 1.5
