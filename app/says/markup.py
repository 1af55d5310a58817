"""Small pieces of HTML around text that is always shown literally."""

from collections.abc import Sequence

from app.says.text import as_html


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{as_html(text)}</h{level}>"


def step(number: int, text: str) -> str:
    """The heading of one step of several."""
    return f'<h2 class="step"><span class="ordinal">{number}</span>{as_html(text)}</h2>'


def paragraph(text: str, kind: str = "lead") -> str:
    """A paragraph; `kind` is its class in style.css."""
    return f'<p class="{kind}">{as_html(text)}</p>'


def picture(source: str, says: str, kind: str) -> str:
    """A picture; `source` is a ``data:`` address of our own, `says` what it shows."""
    return f'<img class="{kind}" src="{as_html(source)}" alt="{as_html(says)}">'


def notice(text: str) -> str:
    """A message to the visitor, also spoken by a screen reader."""
    return f'<div class="notice" role="status">{as_html(text)}</div>'


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table with a row of headers and a name in the first column; on a narrow screen it scrolls."""
    head = "".join(f'<th scope="col">{as_html(header)}</th>' for header in headers)
    body = "".join(
        f'<tr><th scope="row">{as_html(first)}</th>'
        f"{''.join(f'<td>{as_html(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="table" role="region" aria-label="{as_html(caption)}" tabindex="0"><table>'
        f"<caption>{as_html(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
