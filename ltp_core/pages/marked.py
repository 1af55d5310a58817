"""What commands write into pages that people write: it stands between two marks, and can be written again."""


def between_marks(page: str, name: str, text: str) -> str:
    """Put a text between a page's marks ``<!-- name -->`` and ``<!-- /name -->``, in place of what was there.

    Args:
        page: all of it.
        name: of the marks.
        text: what is to stand on the lines between them.

    Raises:
        ValueError: the page does not have these two marks, each once, in this order.
    """
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = page.partition(first)
    _, _, after = rest.partition(last)
    if page.count(first) != 1 or page.count(last) != 1 or last in before:
        raise ValueError(f"a page that is to hold {name} has {first} once, and {last} once after it")
    return f"{before}{first}\n{text.strip()}\n{last}{after}"
