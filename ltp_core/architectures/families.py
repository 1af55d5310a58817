"""The families that can be read. An allow-list: others fit one of these views and compute something else."""

from collections.abc import Callable
from typing import TypeVar

from ltp_core.architectures.base import EncoderView

ViewClass = TypeVar("ViewClass", bound=type[EncoderView])
FAMILIES: dict[str, type[EncoderView]] = {}  # by the config's model_type; filled while the room is imported


def reads(*model_types: str) -> Callable[[ViewClass], ViewClass]:
    """Say of a view which families it reads, by their configs' `model_type`."""

    def add(view: ViewClass) -> ViewClass:
        FAMILIES.update(dict.fromkeys(model_types, view))
        return view

    return add
