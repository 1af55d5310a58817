"""A visitor's text stays text: nothing in it is ever Markdown, HTML, Plotly's pseudo-HTML or invisible."""

import html
import unicodedata

_ISOLATE, _END = "\u2068", "\u2069"  # keep right-to-left text from reordering what stands beside it
_JOINERS = "\u200c\u200d"  # part of emoji and of several scripts
_MARKDOWN = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_WORD_JOINER = "\u2060"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """Show control and formatting characters as their code point, and isolate right-to-left text."""
    shown = "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _UNSEEN and c not in _JOINERS else c for c in text
    )
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in shown):
        return _ISOLATE + shown + _END
    return shown


def shorten(text: str, limit: int) -> str:
    """Cut a text to so many characters, the last one an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_html(text: str) -> str:
    """A text as HTML that shows it literally, also inside an attribute."""
    return html.escape(visible(text))


def as_plotly(text: str, limit: int | None = None) -> str:
    """A text for Plotly's ticks and hover boxes, which read `<b>`, `<a href>` and `&amp;` as HTML."""
    shown = visible(shorten(text, limit) if limit else text)
    return html.escape(shown, quote=False)


def as_label(text: str, limit: int | None = None) -> str:
    """A text for the label of a control, which Streamlit reads as Markdown with `:icons:` and `$maths$`."""
    shown = visible(shorten(text, limit) if limit else text)
    escaped = "".join(f"\\{c}" if c in _MARKDOWN else c for c in shown)
    return escaped.replace(":", f":{_WORD_JOINER}")  # an escaped colon would still begin an emoji's name
