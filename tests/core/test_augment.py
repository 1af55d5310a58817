"""Made-up rows: pieces of real ones, end to end."""

import pytest

from ltp_core.training.augment import joined_pieces
from ltp_core.training.data import DataError, Rows

TEXTS = ["one two three four five six", "seven eight nine", "ten"]


def test_each_is_a_piece_of_a_row_and_a_piece_of_a_row():
    made = joined_pieces(Rows(TEXTS, [0, 1, 0]), 200, seed=0)
    assert len(made) == 200 and len(set(made)) > 20
    for text in made:
        words = text.split()
        cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
        assert any(
            any(head in row for row in TEXTS) and any(tail in row for row in TEXTS) for head, tail in cuts
        )


def test_pieces_have_three_words_or_the_whole_row():
    made = joined_pieces(Rows(["a b c d"], [0]), 50, seed=1)
    assert all(len(text.split()) in (6, 7, 8) for text in made)


def test_the_seed_decides():
    rows = Rows(TEXTS, [0, 1, 0])
    assert joined_pieces(rows, 9, seed=3) == joined_pieces(rows, 9, seed=3) != joined_pieces(rows, 9, seed=4)


def test_pairs_are_refused():
    with pytest.raises(DataError, match="pairs"):
        joined_pieces(Rows([("a", "b")], [0]), 1, seed=0)
