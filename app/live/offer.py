"""What a page offers to the stage: who may answer while a threshold is dragged."""

from typing import Any

from app import services
from app.live.routes import client_address
from app.services import Texts


def offer(model: str, texts: Texts) -> dict[str, Any] | None:
    """An offer for a text, as README.md says; None for a model that not all visitors share.

    Args:
        model: its name, as in the list of models.
        texts: what the visitor reads.
    """
    if model not in services.shared_models():
        return None
    return {"client": client_address(), "model": model, "text": texts.first, "pair": texts.second}
