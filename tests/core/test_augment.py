"""Rows to distill on: made up of pieces of real ones, or drawn from texts without labels."""

import pytest

from ltp_core.data.rows import DataError, Rows, Split
from ltp_core.training.augment import drawable, drawn, made_up
from tests.some import some

TEXTS = ["one two three four five six", "seven eight nine", "ten"]


def test_each_is_a_piece_of_a_row_and_a_piece_of_a_row():
    made = made_up(Rows(TEXTS, [0, 1, 0]), 200, seed=0)
    assert len(made) == 200 and len(set(made)) > 20
    for text in made:
        words = text.split()
        cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
        assert any(
            any(head in row for row in TEXTS) and any(tail in row for row in TEXTS) for head, tail in cuts
        )


def test_pieces_have_three_words_or_the_whole_row():
    made = made_up(Rows(["a b c d"], [0]), 50, seed=1)
    assert all(len(text.split()) in (6, 7, 8) for text in some(made))


def test_the_seed_decides():
    rows = Rows(TEXTS, [0, 1, 0])
    assert made_up(rows, 9, seed=3) == made_up(rows, 9, seed=3) != made_up(rows, 9, seed=4)


def test_a_pair_gives_a_pair_of_its_own_pieces():
    pairs = [("one two three four", "five six"), ("seven eight nine ten eleven", "twelve")]
    made = made_up(Rows(pairs, [0, 1]), 200, seed=0)
    assert len(made) == 200 and len(set(made)) == 9  # 2 + 1 pieces of the first, 3 + 2 + 1 of the second
    for pair in some(made):
        assert any(all(piece in whole for piece, whole in zip(pair, row, strict=True)) for row in pairs)
    assert {second for _, second in made} == {"five six", "twelve"}  # shorter than a piece may be


REVIEWS = ["One two. Three four five!  Six?<br /><br />Seven eight", "Nine", " "]


def test_unlabelled_texts_give_whole_sentences_as_long_as_the_rows():
    rows = Rows(["a b c", "a"], [0, 1])
    made = drawn(REVIEWS, rows, 300, seed=0)
    assert len(made) == 300
    # From each sentence on, until there are one or three words, or the text ends.
    assert set(made) == {
        *("One two.", "One two. Three four five!", "Three four five!"),
        *("Six?", "Six? Seven eight", "Seven eight", "Nine"),
    }
    assert (
        drawn(REVIEWS, rows, 9, seed=1) == drawn(REVIEWS, rows, 9, seed=1) != drawn(REVIEWS, rows, 9, seed=2)
    )


def test_unlabelled_pairs_are_taken_as_they_are_and_once():
    pairs = [("a b", "c"), ("d", "e"), ("a b", "c")]
    rows = Rows([("x", "y")], [0])
    assert sorted(drawn(pairs, rows, 5, seed=0)) == [("a b", "c"), ("d", "e")]
    assert len(drawn(pairs, rows, 1, seed=0)) == 1


@pytest.mark.parametrize(
    ("texts", "row", "reason"),
    [
        (["a text"], ("a", "pair"), "pairs"),
        ([("a", "pair")], "a text", "pairs"),
        ([" ", ""], "a text", "blank"),
        (["it was  held out"], "a text", "held out, all of them"),
    ],
)
def test_unlabelled_texts_that_do_not_fit_are_refused(texts, row, reason):
    held = Rows(["it was held out"], [0])
    with pytest.raises(DataError, match=reason):
        drawable(texts, Split(Rows([row], [0]), held, held))


def test_nothing_is_drawn_from_blank_texts_or_held_out_ones():
    """A part of a held-out text is none to draw either, as none to train on."""
    split = Split(Rows(["x y"], [0]), Rows(["a b c"], [0]), Rows(["d  e"], [1]))
    texts = ["x y", " ", "a b c", "a b c d", "b  c", "d e", "c d", ""]
    assert drawable(texts, split) == ["x y", "a b c d", "c d"]
    pairs = Split(Rows([("x", "y")], [0]), Rows([("a", "b c")], [0]), Rows([], []))
    assert drawable([("a", "b c"), ("a b", "c"), ("", "b"), ("x", "y")], pairs) == [("a b", "c"), ("x", "y")]
