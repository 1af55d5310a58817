"""How to read each family of Hugging Face encoders. A family is one file here and one line below."""

from typing import Any

from ltp_core.architectures.base import EncoderView, LayerView, score_bias
from ltp_core.architectures.bert import BertView

__all__ = ["FAMILIES", "EncoderView", "LayerView", "score_bias", "view_of"]

FAMILIES = {"bert": BertView}


def view_of(model: Any) -> EncoderView:
    """Return the view of a Hugging Face model with a sequence-classification head.

    Views are cheap and hold no state, so they are made anew for each forward pass: what peft or a
    user replaced in the model since then is seen.

    Raises:
        ValueError: for a family that is not in `FAMILIES`, or a model without that head.
    """
    if hasattr(model, "get_base_model"):  # peft
        model = model.get_base_model()
    family = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    if family not in FAMILIES:
        raise ValueError(f"cannot prune a {family!r} model; known families: {', '.join(sorted(FAMILIES))}")
    if not type(model).__name__.endswith("ForSequenceClassification"):
        raise ValueError(f"{type(model).__name__} has no sequence-classification head")
    if getattr(model.config, "problem_type", None) == "multi_label_classification":
        raise ValueError("cannot read a multi-label head: its outputs are no distribution over labels")
    return FAMILIES[family](model)
