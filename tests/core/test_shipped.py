"""The shipped models, on our own sentences: they load, agree with their references, and match their cards."""

import json

import pytest
import torch

from ltp_core import Dense, PrunedModel
from ltp_core.bases import BASES, is_here
from ltp_core.checkpoints import SHIPPED, Settings, has_baseline, shipped_models, usable_models
from ltp_core.data.sentences import own_sentences
from ltp_core.results import RESULTS
from ltp_core.why.counterfactual import smallest_scale
from tests.some import some


@pytest.fixture(scope="module", params=sorted(usable_models()))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def shipped(name):
    return PrunedModel.from_pretrained(name)


def test_sst2_is_shipped():
    assert "sst2" in shipped_models()


def test_baselines_that_wait_for_their_pruned_weights():
    """Each says what it holds; those whose base is here load, unaltered, and answer."""
    folders = [path.parent for path in some(sorted((SHIPPED.parent / "baselines").glob("*/ltp_config.json")))]
    for folder in folders:
        assert has_baseline(folder) and folder.name not in shipped_models()
        settings = Settings.read(folder)
        if not is_here(BASES[settings.base]):
            continue
        model = PrunedModel.from_pretrained(folder, weights="baseline")
        assert model.thresholds is None and settings.task == "sst2"
        assert model.predict("A moving, funny film.").label == "positive"
        assert model.predict("A dull, lifeless mess.").label == "negative"


def texts_for(model):
    """Sentences; a dozen of them as one text for a model of long texts, whose thresholds spare short ones."""
    sentences = own_sentences()
    if model.settings.trained_length <= 128:
        return sentences
    return [" ".join(sentences[start : start + 12]) for start in range(0, len(sentences), 12)]


def test_removed_is_masked_and_dense_is_hugging_face(shipped):
    batch, _ = shipped.encode(texts_for(shipped))
    with torch.inference_mode():
        removed, masked = shipped(**batch), shipped(**batch, execution="masked")
        dense, expected = shipped(**batch, rule=Dense()), shipped.hf_model(**batch).logits
    torch.testing.assert_close(removed.logits, masked.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(dense.logits, expected, atol=1e-4, rtol=1e-4)
    for kept, mask in some(zip(removed.run.masks, masked.run.masks, strict=True)):
        assert torch.equal(kept, mask.bool())
    assert removed.alive[:, -1].float().mean() < 0.5 * batch["attention_mask"].sum(dim=-1).float().mean()


def test_it_reads_plain_sentences(shipped):
    if shipped.settings.task != "sst2":
        pytest.skip("the sentences below are film reviews")
    assert shipped.predict("A moving, funny film.").label == "positive"
    assert shipped.predict("A dull, lifeless mess.").label == "negative"


def test_it_is_small_and_its_results_are_measured(name, shipped):
    folder = shipped_models()[name]
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12e6
    measured = shipped.settings.results["development"]
    rows = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    row = next(row for row in rows if row["split"] == "development" and row["factor"] == 1)
    assert row["pruned_score"] == measured["pruned"]["score"]
    assert f"{100 * row['pruned_score']:.1f}" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_search_on_a_text_too_long_for_one_batch():
    """Of 64 copies of more than 64 tokens the engine makes several parts."""
    model = PrunedModel.from_pretrained("sst2")
    text = "A moving, funny film, well acted. " * 12
    found = smallest_scale(model, text)
    for factor in [found.highest] if found.factor is None else [found.factor]:
        same = model.predict(text, model.learned_rule.times(factor)).label == found.before
        assert same == (found.factor is None)
