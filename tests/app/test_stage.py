"""What the stage gets from two runs, and what it may answer."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import measured
from app.components import stage as component
from app.components.modules import bundle
from app.says.clocked import TimeSaid
from app.says.questions import question_of
from app.stage import Setting, stage_data
from ltp_core import AttentionTrace, LayerTrace, Prediction, Trace
from ltp_core.flops import Dimensions, layer_flops
from tests.some import some

FOLDER = Path(component.__file__).parent
COMPONENTS = FOLDER.parent
TESTS = Path(__file__).resolve().parents[1] / "stage"
NODE = shutil.which("node")
SIZE = Dimensions(3, 4, 16, 2)
SETTING = Setting(
    "tiny", ("negative", "positive"), SIZE, frozenset({"[CLS]", "[SEP]"}), (0.1, 0.2, 0.0), None, (0.1,) * 3
)

COST = {"flops": 400, "dense_flops": 1_000, "executed_flops": 400}


def data(trace, setting=SETTING, **changes):
    run = Prediction("positive", {"negative": 0.2, "positive": 0.8}, None, **COST, trace=trace)
    given = {"dense": replace(run, flops=1_000), "question": question_of("sst2", "tiny")}
    return stage_data(setting, pruned=run, **(given | changes))


def test_the_stage_gets_plain_numbers(trace):
    found = json.loads(json.dumps(data(trace)))
    assert found["importance"][1] == [0.1, 0.25, None, 0.5, 0.15]
    assert found["kept"][1] == [1, 1, 0, 1, 0]
    assert found["thresholds"] == [0.1, 0.2, 0.0] and found["learned"] is None and found["start"] == [0.1] * 3
    assert found["special"] == [0, 4]
    assert found["answers"]["pruned"] == {"probabilities": [0.2, 0.8], "value": None}
    assert found["question"] == "Is a sentence about a film positive?"
    assert found["factor"] == 1 and found["time"] is None and found["attention"] is None


def test_room_for_curves_is_asked_for_where_a_browser_may_have_the_model(trace):
    offer = {"client": "live/client.js"}
    assert data(trace, live=offer, curves=True)["curves"] is True
    assert data(trace, live=offer)["curves"] is False
    assert data(trace, curves=True)["curves"] is False  # nobody would draw them


def test_settings_that_have_a_name_come_with_what_is_known_of_them(trace, monkeypatch, tmp_path):
    rows = [
        {
            **{"model": "tiny", "setting": name, "factor": factor, "flops_reduction": 1 + factor},
            **{
                "points_lost": lost,
                "points_lost_error": 0.5,
                "examples": 1500,
                "thresholds": [0.1, 0.2, 0.8],
            },
        }
        for name, factor, lost in (("careful", 1, 0.1), ("learned", 1, 0.1), ("fast", 1.5, 2.0))
    ]
    (tmp_path / "settings.json").write_text(json.dumps({"rows": rows}))
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    named = tuple(measured.settings_of("tiny", (0.1, 0.2, 0.8)))
    found = data(trace, replace(SETTING, named=named))["named"]
    assert [one["name"] for one in found] == ["Learned = careful", "Fast"]
    np.testing.assert_allclose(found[1]["thresholds"], [0.15, 0.3, 1.0])  # a share is at most all of it
    assert "2.5× less work, 2.0 ± 0.5 points lost on 1,500 tuning rows" in found[1]["about"]
    assert data(trace)["named"] == [] and measured.settings_of("tiny", (0.1, 0.2, 0.7)) == []


def test_a_threshold_acts_as_less_beyond_the_reference_length(trace):
    assert data(trace, replace(SETTING, reference=4))["factor"] == 4 / 5
    assert data(trace, replace(SETTING, reference=5))["factor"] == 1


def test_attention_comes_as_bytes_that_give_the_mean_back(trace):
    heads = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 3)).astype(np.float32)  # [H, n, n]
    [found] = data(trace, attention=[AttentionTrace(1, (0, 2, 4), heads)])["attention"]
    weights = np.frombuffer(base64.b64decode(found["weights"]), dtype=np.uint8).reshape(3, 3)
    np.testing.assert_allclose(
        weights / 255 * found["largest"], heads.mean(axis=0), atol=found["largest"] / 500
    )
    assert found["tokens"] == [0, 2, 4]


def test_a_regression_brings_its_scale_and_a_measurement_its_words(trace):
    run = Prediction(None, {}, 3.2, **COST, trace=trace)
    setting = replace(SETTING, labels=())
    said = TimeSaid("Pruning: too noisy to say (0.8–1.9)", ("a",), True)
    found = data(trace, setting, dense=run, question=question_of("stsb", "tiny"), time=said)
    assert found["answers"]["dense"] == {"probabilities": None, "value": 3.2}
    assert found["scale"]["high"] == 5 and len(found["scale"]["words"]) == 6
    assert found["time"] == {"headline": said.headline, "lines": ["a"], "longer": True}


def test_control_characters_are_shown_and_markup_stays_as_it_is():
    layer = LayerTrace(1, None, (0.5, 0.5), (True, True))
    trace = Trace(("<b>", "a\u202eb"), (0, 0), 0, (layer,))
    found = data(trace)
    assert found["tokens"] == ["<b>", "a⟨U+202E⟩b"]
    assert [piece["text"] for piece in found["pieces"]] == found["tokens"]


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
def test_the_modules_that_touch_no_page_pass_their_own_tests():
    files = sorted(map(str, TESTS.glob("*.test.mjs")))
    assert files
    done = subprocess.run([NODE, "--test", *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
@pytest.mark.parametrize("gated", [False, True])
def test_the_work_of_a_preview_is_that_of_the_core(gated):
    size = Dimensions(2, 8, 32, 2, gated=gated, windows=(None, 3))
    counts = [(5, 4), (9, 1), (2, 2), (20, 7)]
    given = {"hidden": size.hidden, "ffnWeights": size.ffn_weights, "windows": list(size.windows)}
    script = (
        f"import {{ layerWork }} from {json.dumps((FOLDER / 'work.js').as_uri())};"
        f"const [size, counts] = {json.dumps([given, counts])};"
        "const of = layer => counts.map(([n, m]) => layerWork(size, layer, n, m));"
        "console.log(JSON.stringify([0, 1].map(of)))"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [
        [layer_flops(size, n, m, layer) for n, m in counts] for layer in (1, 2)
    ]


def test_modules_are_joined_each_once_and_after_what_they_need(tmp_path):
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c,\n  d } from "./c.js";\nexport default b + c;\n'
    )
    (tmp_path / "b.js").write_text('import { c } from "./c.js";\nexport const b = c;\n')
    (tmp_path / "c.js").write_text("export const c = 1;\nexport function d() {}\n")
    assert (
        bundle(tmp_path / "a.js")
        == "const c = 1;\nfunction d() {}\n\nconst b = c;\n\nexport default b + c;\n"
    )


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
@pytest.mark.parametrize("entry", ["stage/stage.js", "figure_tools/tools.js", "poll/poll.js", "paging.js"])
def test_joined_modules_are_one_that_a_browser_takes(tmp_path, entry):
    """In which a name is declared once, above all."""
    joined = tmp_path / "joined.mjs"
    joined.write_text(bundle(COMPONENTS / entry), encoding="utf-8")
    done = subprocess.run([NODE, "--check", str(joined)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    joined.write_text(f"{joined.read_text(encoding='utf-8')}\nclass Stage {{}}\nclass Stage {{}}\n")
    assert subprocess.run([NODE, "--check", str(joined)], capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ([0, 0.5, 1], (0.0, 0.5, 1.0)),
        ([0, 0.5], None),
        ([0, 0.5, 1.1], None),
        ([0, 0.5, -0.1], None),
        ([0, 0.5, "1"], None),
        ([0, 0.5, float("nan")], None),
        ({"0": 1}, None),
        (None, None),
    ],
)
def test_an_answer_that_is_no_list_of_shares_is_left_alone(answer, read):
    assert component._thresholds(answer, 3) == read


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"layer": 3, "token": 5}, (3, 5)),
        ({"layer": 4, "token": 5}, None),
        ({"layer": 3, "token": 0}, None),
        ({"layer": "3", "token": 5}, None),
        ("<img>", None),
        (None, None),
    ],
)
def test_a_cell_is_one_of_the_stage(answer, read):
    assert component._cell(answer, layers=3, tokens=5) == read


def test_the_page_loads_nothing_from_elsewhere():
    texts = [bundle(FOLDER / "stage.js"), *(file.read_text() for file in FOLDER.glob("stage.[ch]*"))]
    assert not any("http" in text.replace("http://www.w3.org/2000/svg", "") for text in some(texts))
