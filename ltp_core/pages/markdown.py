"""Markdown tables."""

from collections.abc import Sequence


def line(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A whole table."""
    return "\n".join([line(head), line(["---"] * len(head)), *(line(cells) for cells in lines)])
