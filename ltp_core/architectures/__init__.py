"""How to read each family of Hugging Face encoders. A family is one file here and one line below."""

from typing import Any

# A family's file says which models it reads; to be imported here is all it needs.
from ltp_core.architectures import (  # noqa: F401
    albert,
    bert,
    deberta,
    distilbert,
    electra,
    modernbert,
    mpnet,
    roberta,
)
from ltp_core.architectures.base import EncoderView, LayerView, score_bias
from ltp_core.architectures.families import FAMILIES

__all__ = ["FAMILIES", "EncoderView", "LayerView", "family_of", "score_bias", "view_of"]


def family_of(config: Any) -> type[EncoderView]:
    """Return the view that fits a Hugging Face config: its class, which knows sizes without a model.

    Raises:
        ValueError: for a family that is not in `FAMILIES`, with the list of those that are.
    """
    family = getattr(config, "model_type", type(config).__name__)
    if family not in FAMILIES:
        raise ValueError(f"cannot prune a {family!r} model; known families: {', '.join(sorted(FAMILIES))}")
    return FAMILIES[family]


def view_of(model: Any) -> EncoderView:
    """Return the view of a Hugging Face model with a sequence-classification head.

    Views are cheap and hold no state, so they are made anew for each forward pass: what peft or a
    user replaced in the model since then is seen.

    Raises:
        ValueError: for a family that is not in `FAMILIES`, or a model without that head.
    """
    if hasattr(model, "get_base_model"):  # peft
        model = model.get_base_model()
    config = getattr(model, "config", model)
    view = family_of(config)
    if not type(model).__name__.endswith("ForSequenceClassification"):
        raise ValueError(
            f"{type(model).__name__} has no sequence-classification head; "
            f"known are the ForSequenceClassification models of: {', '.join(sorted(FAMILIES))}"
        )
    return view(model)
