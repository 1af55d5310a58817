"""The table of rules: a toy rule, added by one registration, runs wherever rules do."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from ltp_core import PrunedModel, RandomKeep, Rule, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.cli import app
from ltp_core.commands.shared import one_option_each
from ltp_core.data.rows import Rows
from ltp_core.forward import engine
from ltp_core.measuring.equal_flops import Family, measured_rows
from ltp_core.pages.equal_flops import sections
from ltp_core.rules import LengthConfig, PinnedRows, TopK
from ltp_core.rules.base import original_positions
from ltp_core.rules.counts import falling_shares
from ltp_core.rules.reading import rule_of
from ltp_core.rules.table import RULES, RuleKind, register, rivals, rule_forms, trained_rules
from ltp_core.training.job import METHODS, Pruning
from ltp_core.training.rivals import RIVALS
from tests.app.harness import html, open_view
from tests.some import some

OWNER = SimpleNamespace(layers=2)
TEXT = "the plot was very bad and the film was so good"


@dataclass(frozen=True)
class FirstTokens(Rule):
    """Keep the first part of the text; only `keep` is written, all else is the default."""

    share: float

    def keep(self, importance, alive, layer, carry):
        positions = original_positions(alive) if carry is None else carry
        length = positions.amax(dim=-1, keepdim=True) + 1
        return alive & (positions < self.share**layer * length), positions


@pytest.fixture
def first():
    """Adds the toy to the table, and takes it away again."""
    kind = register(
        RuleKind(
            name="first",
            title="First tokens",
            short="first tokens",
            brief="the beginning of the text",
            how="The beginning of the text stays, whatever it says.",
            fit=lambda fitting: fitting.by_running(lambda x: FirstTokens(1 / (1 + x))),
            written="first:0.5",
            read=lambda text, owner: FirstTokens(float(text)),
            setting=lambda rule: rule.share,
            says="{:.0%} of the tokens in each layer",
        )
    )
    yield kind
    del RULES["first"]


@pytest.fixture
def model(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=2), tokenizer, [0.03, 0.05, 0.07])
    model.settings = Settings(task="toy", training={"pruning": {}, "pruned": {"seed": 3}})
    return model


def test_the_toy_is_fitted_to_targets_by_compare(first, model, tiny_bert, tokenizer):
    baseline = PrunedModel(tiny_bert(num_labels=2, seed=1), tokenizer)
    baseline.settings = model.settings
    texts = [TEXT, "a very good film", "it was so bad and of a plot"] * 4
    rows = Rows(texts, [0, 1, 0] * 4)
    family = Family(baseline, (model,), {}, {}, rows, None)
    found = list(measured_rows(family, rows, ["dense", "first"], [1.3, 1.6]))
    assert [row["rule"] for row in found] == ["dense", "first", "first"]
    for row in some(found[1:]):
        assert row["flops_reduction"] == pytest.approx(row["target_flops"], rel=0.05)
        assert row["pruned_flops"] < row["dense_flops"]
    page = "\n".join(sections(found, [], [], {}))
    assert "`first`: the beginning of the text." in page and "| `first` |" in page


def test_the_toy_is_read_by_the_command_line(first, tiny_folder):
    words = ["trace", TEXT, "--model", str(tiny_folder), "--thresholds", "first:0.5", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    layers = json.loads(done.stdout)["layers"]
    tokens = len(layers[0]["kept"])  # 13: 6.5 and 3.25 of them have a smaller position
    assert [sum(layer["kept"]) for layer in layers] == [7, 4, 2] and tokens == 13
    assert "first:0.5" in rule_forms()


def test_the_toy_is_on_the_page_that_compares(first, tiny_folder):
    shown = html(open_view("compare", text=TEXT))
    assert "First tokens" in shown and "The beginning of the text stays, whatever it says." in shown
    assert "of the tokens in each layer" in shown


def test_a_batch_that_is_cut_cuts_the_exceptions_around_the_toy(first, model, monkeypatch):
    """A rule has `rows` by itself, so a wrapper around it does not die where a batch runs in parts."""
    batch, _ = model.encode([TEXT, "a very good film", TEXT])
    stay = batch["attention_mask"].bool() & False
    stay[2, 9] = True
    rule = PinnedRows(RandomKeep(FirstTokens(0.5)), stay, stay & False)
    whole = model(**batch, rule=rule).run.masks
    monkeypatch.setattr(engine, "PAIRS", {"cpu": 1, "elsewhere": 1})
    parts = model(**batch, rule=rule).run.masks
    assert all(one.equal(other) for one, other in some(zip(whole, parts, strict=True)))
    assert parts[-1][2, 9] and not parts[-1][1].all()


def test_defaults_of_a_rule():
    rule = FirstTokens(0.5)
    assert rule.needs_importance(1) and rule.rows(0, 1) is rule and rule.cutoff(1, 5) is None
    assert rule.check(12) is None


def test_a_name_or_a_word_is_taken_once(first):
    with pytest.raises(ValueError, match="there is a rule 'first' already"):
        register(first)
    with pytest.raises(ValueError, match="there is a rule 'other' already"):
        register(replace(first, name="other"))


def test_what_trains_is_what_the_table_says():
    assert sorted(METHODS) == sorted([*trained_rules(), "dense"])
    assert list(RIVALS) == rivals()
    for name, rival in some(RIVALS.items()):
        assert type(rival.rule([0.5])).__name__ == type(RULES[name].read("0.5,0.4", OWNER)).__name__
        assert set(rival.unread) <= {field.name for field in fields(Pruning)}


def test_a_table_gives_a_command_its_options():
    """So `compare` has --topk and --lat, and would have a third trained rule's without a line of its own."""
    seen = []
    program = typer.Typer()

    @program.command()
    @one_option_each(
        "rivals", {name: Annotated[Path | None, typer.Option(help="A folder.")] for name in ("toy", "other")}
    )
    def command(task: str, rivals: dict[str, Path] | None = None, limit: int = 3) -> None:
        """Do it."""
        seen.append((task, rivals, limit))

    for words in (["x", "--toy", "runs/toy"], ["y", "--limit", "5"]):
        done = CliRunner().invoke(program, words)
        assert done.exit_code == 0, done.output
    assert seen == [("x", {"toy": Path("runs/toy")}, 3), ("y", {}, 5)]
    assert "No such option" in CliRunner().invoke(program, ["x", "--rivals", "toy"]).output
    compare = typer.main.get_command(app).commands["compare"]
    options = [option for parameter in compare.params for option in parameter.opts]
    assert [option for option in options if option[2:] in RIVALS] == [f"--{name}" for name in rivals()]


def test_every_rule_that_can_be_written_is_read_from_its_own_example(model):
    read = {kind.written: rule_of(model, kind.written) for kind in RULES.values() if kind.written}
    falling = falling_shares(0.5, 3)
    assert read == {
        "learned": Thresholds([0.03, 0.05, 0.07]),
        "off": Thresholds([0.0] * 3),
        "manual:0.02": Thresholds([0.02 / 3, 0.04 / 3, 0.02]),
        "manual/flat:0.02": Thresholds([0.02] * 3),
        "topk:0.5": TopK(falling),
        "lat:0.5": LengthConfig(falling),
        "random:0.5": RandomKeep(LengthConfig(falling)),
    }
