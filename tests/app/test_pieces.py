"""Tokens read as text, in the three ways that vocabularies mark words."""

import pytest

from app.says.pieces import pieces


def joined(found):
    return "".join(
        piece.text if piece.glued or not at else f" {piece.text}" for at, piece in enumerate(found)
    )


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["[CLS]", "un", "##believ", "##able", ",", "yes", ".", "[SEP]"], "[CLS] unbelievable, yes. [SEP]"),
        (["<s>", "Un", "believ", "able", "Ġfilm", ".", "</s>"], "<s> Unbelievable film. </s>"),
        (["<s>", "▁Un", "glaub", "lich", "▁gut", "</s>"], "<s> Unglaublich gut </s>"),
        (["[CLS]", "doesn", "'", "t", "[SEP]"], "[CLS] doesn't [SEP]"),
        (["[CLS]", "well", "-", "made", "(", "really", ")", "[SEP]"], "[CLS] well -made (really) [SEP]"),
    ],
)
def test_pieces_join_to_a_text(tokens, text):
    assert joined(pieces(tokens, [0, len(tokens) - 1])) == text


def test_marks_alone_and_markup_stay_visible():
    assert [piece.text for piece in pieces(["##", "Ġ", "<b>", "a\u202eb"], [])] == [
        "##",
        "Ġ",
        "<b>",
        "a⟨U+202E⟩b",
    ]
