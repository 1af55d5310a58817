"""About: the method, the units, the models and what was measured on them, how to cite, licences."""

import re
from itertools import chain, zip_longest
from pathlib import Path

import streamlit as st

from app import models, runs
from app.models import Card
from app.runs import InputProblem, Removal
from app.says import cite, findings, markup, words
from ltp_core import CheckpointError
from ltp_core.checkpoints import USUAL_MODEL
from ltp_core.results import lost_text

ROOT = Path(__file__).resolve().parents[2]
# Found by deleting each word of our sentences in turn and asking whether the label changes: of those that
# change it, dense and pruned, "wrong" gets the least attention in the first layer.
SENTENCE = "I laughed twice, and both times at the wrong moment."
DECIDES, ATTENDED = "wrong", "laughed"

METHOD = (
    "A transformer reads a text as tokens: words, pieces of words, and two of its own, [CLS] at the "
    "start and [SEP] at the end. In each layer every token looks at all others and spreads its "
    "attention over them.",
    "Learned Token Pruning (Kim et al., KDD 2022) asks in each layer how much attention a token "
    "receives, as a share of all attention in that layer. A token that receives less than the layer’s "
    "threshold leaves: later layers do not compute it any more. [CLS], from which the answer is read, "
    "always stays.",
    "The thresholds are learned together with the weights, so that the answers stay and a given amount "
    "of work is saved. Here tokens are really removed, not masked: what you see measured is what was "
    "not computed.",
)
UNITS = (
    ("Importance", "share of a layer’s attention that a token receives; the average is 100 % ÷ tokens"),
    ("Threshold", "the share that a token must reach to stay; one a layer"),
    ("Paper FLOPs", "operations in the encoder’s matrix products, counted as in the paper"),
    ("Executed FLOPs", "what our engine runs; it leaves out what cannot change the answer, dense or pruned"),
    ("Dense", "the same weights with nothing pruned"),
    ("Baseline", "another model, tuned without pruning, from the same base"),
    ("Points lost", "baseline minus pruned, in percentage points of the score, ± one standard error"),
    ("Milliseconds", "median of runs in turn on this machine; the middle half beside it"),
    ("Realised", "speedup ÷ reduction of FLOPs: 100 % if time falls as FLOPs do"),
)
HEADERS = ("Model", "Rows", "Baseline", "Pruned", "Points lost", "Paper FLOPs", "Executed FLOPs")


def page() -> None:
    """Text first; the one live example comes where it is needed."""
    with st.container(key="about_top"):
        st.html(markup.heading("About LTP Lab", 1))
    for text in METHOD:
        st.html(markup.paragraph(text))
    st.html(markup.heading("Units"))
    st.html(markup.table(("Word", "What it means here"), UNITS, "Words and units in this lab"))
    _models(models.cards())
    _not_explanation()
    st.html(markup.heading("How to cite"))
    st.html(markup.paragraph("The paper whose method this is:"))
    st.code(cite.PAPER, language=None, wrap_lines=True)
    st.html(markup.paragraph("This software; CITATION.cff in the repository says the same:"))
    st.code(cite.SOFTWARE, language=None, wrap_lines=True)
    st.html(markup.heading("Licences"))
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8") if (ROOT / "NOTICE").is_file() else ""
    st.html(
        markup.paragraph(
            "LTP Lab is free software under the Apache License 2.0. The models build on others’ work, under "
            "the Apache and MIT licences; the NOTICE file names it."
        )
    )
    with st.expander("The NOTICE file", key="notice_file"):
        st.code(notice.strip(), language=None, wrap_lines=True)


def _models(cards: list[Card]) -> None:
    st.html(markup.heading("Models"))
    for line in models.absent().values():
        st.html(markup.notice(line))
    rows = [_row(card.name, name, said) for card in cards for name, said in card.measured.items()]
    if not rows:
        st.html(markup.paragraph("No model ships with this copy. “make results” measures those that do."))
        return
    st.html(
        markup.paragraph(
            "What was measured on the weights that ship. The card says on which rows thresholds were chosen."
        )
        + markup.table(HEADERS, rows, "Shipped models, as “ltp results” measured them")
    )
    for card in cards:
        with st.expander(f"Model card: {card.name}", key=f"card_{card.name}"):
            st.markdown(_lowered(card.text))


def _lowered(card: str) -> str:
    """A card with its headings below “Models”, two levels lower; code, whose comments look alike, is kept."""
    parts = re.split(r"(^```.*?^```)", card, flags=re.MULTILINE | re.DOTALL)
    prose = (re.sub(r"^#", "###", part, flags=re.MULTILINE) for part in parts[::2])
    return "".join(chain.from_iterable(zip_longest(prose, parts[1::2], fillvalue="")))


def _row(model: str, rows: str, said: dict) -> tuple[str, ...]:
    metric, alone, lost = said["metric"], said["baseline"]["score"], said.get("points_lost")
    return (
        model,
        f"{rows}, {said['examples']:,}",
        "none" if alone is None else findings.score(alone, metric),
        findings.score(said["pruned"]["score"], metric),
        "" if lost is None else words.with_minus(lost_text(lost, said.get("points_lost_error"))),
        words.times(said["flops_reduction"]) + " fewer",
        words.times(said["executed_flops_reduction"]) + " fewer",
    )


def _not_explanation() -> None:
    st.html(markup.heading("Attention is not explanation"))
    st.html(
        markup.paragraph(
            "The attention that a token gets says how much other tokens read it, not what they do with it. "
            "A token that gets little may decide the answer, and one that gets much may not matter. Do not "
            "read the map of who stays as a list of reasons."
        )
    )
    offered = models.offered()
    if USUAL_MODEL not in offered:
        return
    try:
        model = models.load(offered[USUAL_MODEL], models.devices()[-1])
        decides, attended = (runs.remove_word(model, SENTENCE, word) for word in (DECIDES, ATTENDED))
    except (CheckpointError, InputProblem) as error:
        st.html(markup.notice(str(error)))
        return
    st.html(
        markup.paragraph(f"An example, run just now on {USUAL_MODEL}: “{SENTENCE}”")
        + markup.paragraph(_said(decides))
        + markup.paragraph(_said(attended))
    )


def _said(found: Removal) -> str:
    count = len(found.whole.trace.tokens)
    before, after = findings.answer(found.whole), findings.answer(found.without)
    return (
        f"“{found.word}” gets {found.share:.2f} times the average attention in layer 1, place "
        f"{found.rank} of {count}, and {_fate(found)}. When it is taken out of the text, which is "
        "more than pruning does, the answer "
        f"{'turns from' if found.flips else 'stays:'} {before} "
        f"{'to' if found.flips else 'before,'} {after}{'' if found.flips else ' after'}."
    )


def _fate(found: Removal) -> str:
    """How far the word comes when the whole text is pruned."""
    trace = found.whole.trace
    survived = trace.survived[trace.tokens.index(found.word.lower())]
    return "stays to the end" if survived == len(trace.layers) else f"is pruned in layer {survived + 1}"


page()
