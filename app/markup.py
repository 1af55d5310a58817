"""Small pieces of HTML around text that is always shown literally."""

from app.text import as_html


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{as_html(text)}</h{level}>"


def paragraph(text: str, kind: str = "lead") -> str:
    """A paragraph; `kind` is its class in style.css."""
    return f'<p class="{kind}">{as_html(text)}</p>'


def notice(text: str) -> str:
    """A message to the visitor, also spoken by a screen reader."""
    return f'<div class="notice" role="status">{as_html(text)}</div>'
