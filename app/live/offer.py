"""What a page offers to the stage: who may answer while a threshold is dragged."""

from typing import Any

from app import models
from app.live.routes import client_address
from app.live.runtime import web_runtime
from app.runs import Texts
from ltp_core import PrunedModel
from ltp_core.onnx.browser import graph_of


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
    return name in models.shared() and web_runtime() is not None and graph_of(model) is not None
