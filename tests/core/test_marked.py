"""A text between two marks of a page, worked by hand."""

import pytest

from ltp_core.pages.marked import between_marks

PAGE = "Before.\n<!-- speed -->\nold\n<!-- /speed -->\nAfter.\n<!-- size -->\n<!-- /size -->\n"


def test_it_takes_the_place_of_what_was_there_and_of_nothing_else():
    once = between_marks(PAGE, "speed", r"\1 new" + "\n")
    assert once == PAGE.replace("old", r"\1 new")
    assert between_marks(once, "speed", "old") == PAGE
    assert between_marks(PAGE, "size", "a\nb\n").endswith("<!-- size -->\na\nb\n<!-- /size -->\n")


@pytest.mark.parametrize(
    "page",
    [
        "no marks",
        "<!-- speed -->\n",
        "<!-- /speed -->\n",
        "<!-- /speed -->\n<!-- speed -->\n",
        PAGE + "<!-- speed -->\n",
        PAGE + "<!-- /speed -->\n",
    ],
)
def test_a_page_without_both_marks_is_not_written(page):
    with pytest.raises(ValueError, match="<!-- /speed -->"):
        between_marks(page, "speed", "new")
