"""Made-up rows: pieces of real ones, end to end."""

from ltp_core.training.augment import made_up
from ltp_core.training.data import Rows

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
    assert all(len(text.split()) in (6, 7, 8) for text in made)


def test_the_seed_decides():
    rows = Rows(TEXTS, [0, 1, 0])
    assert made_up(rows, 9, seed=3) == made_up(rows, 9, seed=3) != made_up(rows, 9, seed=4)


def test_a_pair_gives_a_pair_of_its_own_pieces():
    pairs = [("one two three four", "five six"), ("seven eight nine ten eleven", "twelve")]
    made = made_up(Rows(pairs, [0, 1]), 200, seed=0)
    assert len(made) == 200 and len(set(made)) == 9  # 2 + 1 pieces of the first, 3 + 2 + 1 of the second
    for pair in made:
        assert any(all(piece in whole for piece, whole in zip(pair, row, strict=True)) for row in pairs)
    assert {second for _, second in made} == {"five six", "twelve"}  # shorter than a piece may be
