"""A model that answers with a set of labels, against Hugging Face's own logits, loss and sigmoid."""

import json

import pytest
import torch
from pyarrow import parquet

from ltp_core import Dense, PrunedModel
from ltp_core.calibration import divergence
from ltp_core.corpus.predictor import Predictor
from ltp_core.corpus.run import predict_corpus
from ltp_core.data.rows import Rows
from ltp_core.data.stream import Source
from ltp_core.data.survey import survey
from ltp_core.measuring.scoring import run_unpruned
from ltp_core.rules import Thresholds
from ltp_core.why.attribution import log_odds
from ltp_core.why.counterfactual import smallest_drop

NAMES = ("joy", "anger", "fear")
TEXTS = [
    "a good film",
    "the plot was bad and so so",
    "it",
    "bad bad bad a plot",
    "very good and very bad film",
]


@pytest.fixture(scope="module")
def model(tiny_bert, make_tokenizer):
    names = dict(enumerate(NAMES))
    hf = tiny_bert(seed=1, problem_type="multi_label_classification", id2label=names)
    return PrunedModel(hf, make_tokenizer(), (0.05, 0.08, 0.1), name="moods")


def test_each_label_has_its_own_probability_and_whether_it_crossed(model):
    seen = set()
    for text in TEXTS:
        found = model.predict(text, rule=Dense())
        batch, _ = model.encode([text])
        with torch.no_grad():
            shares = model.hf_model(**batch).logits[0].sigmoid()
        assert list(found.probabilities.values()) == pytest.approx(shares.tolist(), abs=1e-5)
        crossed = tuple(name for name, share in zip(NAMES, shares.tolist(), strict=True) if share >= 0.5)
        assert found.labels == crossed
        assert found.label == (", ".join(crossed) or "none")
        assert found.confidence == pytest.approx(min(max(p, 1 - p) for p in shares.tolist()), abs=1e-5)
        seen.add(found.labels)
    assert len(seen) > 1 and any(len(labels) != 1 for labels in seen)


def test_the_loss_is_hugging_faces(model):
    batch, _ = model.encode(TEXTS)
    labels = torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 0]])
    with torch.no_grad():
        expected = model.hf_model(**batch, labels=labels).loss
        found = model(**batch, labels=labels, rule=Dense()).loss
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_removed_is_masked(model):
    batch, _ = model.encode(TEXTS)
    with torch.no_grad():
        removed, masked = (model(**batch, execution=execution) for execution in ("removed", "masked"))
    torch.testing.assert_close(removed.logits, masked.logits, atol=1e-4, rtol=0)
    assert removed.alive.tolist() == masked.alive.tolist()


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_a_corpus_is_answered_with_sets(model, tmp_path, suffix):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*TEXTS, ""]))
    output = tmp_path / f"out{suffix}"
    predict_corpus(Predictor(model), Source(str(rows)), output)
    if suffix == ".parquet":
        found = parquet.read_table(output).to_pylist()
    elif suffix == ".jsonl":
        found = [json.loads(line) for line in output.read_text().splitlines()]
    else:
        import csv

        with output.open(newline="") as file:
            cells = list(csv.DictReader(file))
        found = [{k: json.loads(row[k] or "null") for k in ("labels", "probabilities")} for row in cells]
    for text, row in zip(TEXTS, found, strict=False):
        said = model.predict(text)
        assert tuple(row["labels"]) == said.labels
        assert row["probabilities"] == pytest.approx(said.probabilities, abs=1e-5)
    assert found[-1]["labels"] is None


def test_how_far_apart_two_sets_of_labels_are_on_paper():
    # p = 0.5 against 0.8: KL(0.8 | 0.5) = 0.8 ln 1.6 + 0.2 ln 0.4 = 0.192745; the other label is the same.
    pruned, dense = torch.tensor([[0.0, 1.0]]).numpy(), torch.tensor([[0.8, 0.0]]).logit().numpy()
    dense[0, 1] = 1.0
    assert divergence(pruned, dense, multi_label=True) == pytest.approx(0.192745, abs=1e-5)


def test_a_labels_log_odds_are_its_logit():
    logits = torch.tensor([[1.0, 3.0], [2.0, -1.0]])
    assert log_odds(logits, torch.tensor([0, 1]), multi_label=True).tolist() == [1.0, -1.0]


def test_a_survey_compares_sets(model):
    rule = Thresholds([0.3, 0.3, 0.3])
    found = survey(model, TEXTS, None, rule)
    pruned, dense = ([model.predict(text, rule=which).labels for text in TEXTS] for which in (rule, Dense()))
    point = next(point for point in found.curve if point.factor == 1.0)
    assert point.agreement == sum(a == b for a, b in zip(pruned, dense, strict=True)) / len(TEXTS)
    assert [row.flipped for row in found.rows] == [a != b for a, b in zip(pruned, dense, strict=True)]


def test_what_takes_one_label_says_so(model):
    with pytest.raises(ValueError, match="answers with a set of labels: one label a row does not score it"):
        run_unpruned(model, None, Rows(TEXTS, [0] * len(TEXTS)))
    with pytest.raises(ValueError, match="a set of labels: it has no one label that could flip"):
        smallest_drop(model, TEXTS[1])
    with pytest.raises(ValueError, match="leave the label column out"):
        survey(model, TEXTS, [0] * len(TEXTS), Thresholds([0.1, 0.1, 0.1]))
