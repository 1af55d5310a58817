"""`lengths` on a tiny model: each length and reference length is the run that `evaluate` would make of it."""

import json

import pytest

from ltp_core import PrunedModel, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.commands.lengths import _references, lengths
from ltp_core.data.rows import load_rows
from ltp_core.measuring.lengths import usual_lengths
from ltp_core.measuring.scoring import run_unpruned, score_against
from ltp_core.pages import report

TEXTS = [
    "the film was very very good and the plot was so good",
    "a bad film",
    "so so bad it was a bad plot of a film",
]


@pytest.fixture
def folder(tmp_path, tiny_bert, tokenizer):
    training = {"pruned": {"max_tokens": 7}}
    model = PrunedModel(
        tiny_bert(num_labels=2), tokenizer, [0.08, 0.12, 0.16], Settings(5.0, training=training)
    )
    model.save_pretrained(tmp_path / "tiny")
    (tmp_path / "rows.jsonl").write_text(
        "\n".join(json.dumps({"text": text, "label": place % 2}) for place, text in enumerate(TEXTS * 4))
    )
    return tmp_path


def test_lengths_and_references_are_what_evaluate_measures(folder):
    file = folder / "found.json"
    data = str(folder / "rows.jsonl")
    lengths(model=str(folder / "tiny"), data=data, output=file, json=True)
    rows = json.loads(file.read_text())["rows"]
    assert [(row["max_tokens"], row["reference_length"]) for row in rows] == [
        *((7, None), (7, 5.0), (14, None), (14, 5.0), (28, None), (28, 5.0))
    ]
    model = PrunedModel.from_pretrained(folder / "tiny")
    examples = load_rows(data, classes=model.classes)
    for row in rows:
        against = run_unpruned(model, None, examples, max_tokens=row["max_tokens"])
        rule = Thresholds([0.08, 0.12, 0.16], row["reference_length"])
        expected = score_against(model, against, examples, rule)
        assert row["pruned_score"] == expected["pruned"]["score"]
        assert row["flops_reduction"] == pytest.approx(expected["flops_reduction"])
        assert (row["trained_length"], row["examples"]) == (7, 12) and row["commit"]
    by_case = {(row["max_tokens"], row["reference_length"]): row["flops_reduction"] for row in rows}
    assert by_case[28, 5.0] < by_case[28, None]  # a long text keeps more under a reference length


def test_a_second_call_replaces_its_cases_only(folder):
    file, data = folder / "found.json", str(folder / "rows.jsonl")
    lengths(model=str(folder / "tiny"), data=data, output=file, max_tokens="9,14", json=True)
    before = json.loads(file.read_text())["rows"]
    lengths(
        model=str(folder / "tiny"),
        data=data,
        output=file,
        max_tokens="14",
        reference_lengths="none,3",
        json=True,
    )
    after = json.loads(file.read_text())["rows"]
    assert len(before) == 4 and len(after) == 5
    assert [row["reference_length"] for row in after] == [None, 5.0, None, 3.0, 5.0]


def test_the_usual_lengths_stop_at_what_the_model_reads(folder):
    model = PrunedModel.from_pretrained(folder / "tiny")
    assert usual_lengths(model) == [7, 14, 28]
    model.settings = Settings(training={"pruned": {"max_tokens": 20}})
    assert usual_lengths(model) == [20, 32]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_tokens": "99"}, "length 99 is more than this model's 32 tokens"),
        ({"max_tokens": "x"}, "--max-tokens"),
        ({"reference_lengths": "0"}, "reference length must be a number of tokens above 0"),
        ({"reference_lengths": "none,-4"}, "above 0"),
        ({"reference_lengths": "many"}, "--reference-lengths"),
        ({"limit": 0}, "--limit must be at least 1"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(folder, options, said):
    file = folder / "found.json"
    with pytest.raises(ValueError, match=said) as found:
        lengths(model=str(folder / "tiny"), data=str(folder / "rows.jsonl"), output=file, **options)
    assert "\n" not in str(found.value) and not file.exists()


def test_references_once_each():
    assert _references("none,25,25.0,none") == [None, 25.0]


def test_the_page_of_results_has_picture_and_numbers(folder, monkeypatch):
    lengths(
        model=str(folder / "tiny"),
        data=str(folder / "rows.jsonl"),
        output=folder / "lengths-tiny.json",
        json=True,
    )
    rows = json.loads((folder / "lengths-tiny.json").read_text())["rows"]
    said = "\n".join(report._beyond("lengths-tiny", rows))
    assert "](pictures/lengths-tiny.svg)" in said
    for row in rows:
        reference = "none" if row["reference_length"] is None else "5"
        assert f"| {row['max_tokens']} | {reference} |" in said
        assert f"| {100 * row['pruned_score']:.1f} | {row['flops_reduction']:.2f}× |" in said
