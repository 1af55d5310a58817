"""What a page offers to the stage: who may answer while a threshold is dragged."""

from typing import Any

from app import models
from app.live.routes import client_address
from app.live.supply import why_not
from app.runs import Texts
from ltp_core import PrunedModel


def offer(model: str, texts: Texts) -> dict[str, Any] | None:
    """An offer for a text, as README.md says; None for a model that not all visitors share.

    Args:
        model: name of the model, as in the list of models.
        texts: what the visitor reads.
    """
    if model not in models.shared():
        return None
    return {"client": client_address(), "model": model, "text": texts.first, "pair": texts.second}


def runs_in_browser(name: str, model: PrunedModel) -> bool:
    """Whether a visitor's browser can be given this model, if it can run one."""
    return name in models.shared() and why_not(model) is None


def what_runs_where(name: str, model: PrunedModel) -> str:
    """A line on who answers while a line of the stage is dragged, and who after that."""
    if name not in models.shared():
        return "While you drag, a preview without an answer: your own model runs on the server, on release."
    why = why_not(model)
    if why is None:
        return (
            "While you drag, the model runs in this browser, once that has loaded it; where it cannot, or "
            "asks to save data, on the server. On release, and for all else, on the server."
        )
    return f"All runs are on the server, also while you drag: {why}."
