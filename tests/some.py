"""What a test checks for each of many: there must be one, or the check is no check."""

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def some(items: Iterable[Item]) -> list[Item]:
    """The items, of which there is at least one: ``assert all(… for item in some(items))``."""
    found = list(items)
    assert found, "there is nothing to check"
    return found
