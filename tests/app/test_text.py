import pytest

from app.says.text import as_html, as_plotly, shorten, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\x00b\x1bc", "a⟨U+0000⟩b⟨U+001B⟩c"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("שלום", "\u2068שלום\u2069"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_html_stays_text():
    assert as_html('<img src="x">&') == "&lt;img src=&quot;x&quot;&gt;&amp;"


def test_plotly_gets_no_tag():
    assert as_plotly("<b>&<a href='x'>") == "&lt;b&gt;&amp;&lt;a href='x'&gt;"


def test_cutting_never_leaves_half_an_entity():
    assert as_plotly("<<<<<", limit=3) == "&lt;&lt;…"
    assert shorten("abc", 3) == "abc"
