"""A model for the browser: a graph that starts after the embeddings, and its weights in half precision.

One graph serves all models of a base: it names its weights by their place in the Hugging Face model and has
none of them inside. So it ships with the project, which then needs no exporter, and a browser that has it
fetches for each further model only the weights. `browser_graph` writes it.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltp_core.architectures import view_of
from ltp_core.prediction import Text, TorchClassifier
from ltp_core.rules import original_positions
from ltp_core.run import Inputs

GRAPHS = Path(__file__).parent / "graphs"
WEIGHTS = "weights"  # what the graph calls the file with its weights
# What of a config a graph has inside, beside the shapes of its weights. A graph is only for equal ones.
CONFIG = ("model_type", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps")
MOST_BYTES = 64 * 2**20  # of weights: more than a visitor should have to fetch


@dataclass(frozen=True)
class BrowserGraph:
    """A graph that ships with the project.

    Attributes:
        file: the ONNX file. Inputs: ``embedded`` float32 ``[1, n, D]``, and ``thresholds`` float32 ``[L]``,
            which are compared with the shares as they are: the caller sees to a reference length. Outputs:
            those of `ltp_core.onnx.graph`.
        config: what a model's config has to say, `CONFIG`.
        queries: how many the importance is averaged over; None for all.
        weights: names and shapes in the order in which the graph expects them, one behind the other, float32.
    """

    file: Path
    config: dict[str, Any]
    queries: int | None
    weights: tuple[tuple[str, tuple[int, ...]], ...]

    def fits(self, model: TorchClassifier) -> bool:
        """Whether this is the graph of a model. None is of one whose answer is a set of labels."""
        state = model.hf_model.state_dict()
        same = self.config == config_of(model) and self.queries == model.queries()
        return (
            same
            and not model.multi_label
            and all(name in state and tuple(state[name].shape) == shape for name, shape in self.weights)
        )


@cache
def graphs() -> tuple[BrowserGraph, ...]:
    """The graphs that ship with the project."""
    found = []
    for file in sorted(GRAPHS.glob("*.json")):
        facts = json.loads(file.read_text(encoding="utf-8"))
        weights = tuple((name, tuple(shape)) for name, shape in facts["weights"])
        found.append(BrowserGraph(file.with_suffix(".onnx"), facts["config"], facts.get("queries"), weights))
    return tuple(found)


def graph_of(model: TorchClassifier) -> BrowserGraph | None:
    """The graph of a model; None if none that ships fits."""
    return next((graph for graph in graphs() if graph.fits(model)), None)


def too_large(model: TorchClassifier) -> bool:
    """Whether a model is too large for a browser: its weights without those of words, in half precision."""
    inside = sum(weight.numel() for weight in model.hf_model.parameters())
    words = model.hf_model.get_input_embeddings().weight.numel()
    return 2 * (inside - words) > MOST_BYTES


def config_of(model: TorchClassifier) -> dict[str, Any]:
    """What `BrowserGraph.config` is compared with."""
    return {name: getattr(model.config, name, None) for name in CONFIG}


def weights_of(model: TorchClassifier, graph: BrowserGraph) -> np.ndarray:
    """A model's weights in the order of its graph, float16 ``[W]``."""
    state = model.hf_model.state_dict()
    parts = [state[name].detach().cpu().float().flatten() for name, _ in graph.weights]
    return torch.cat(parts).half().numpy()


def embed(model: TorchClassifier, text: Text) -> np.ndarray:
    """A text as the graph's input ``embedded``, float32 ``[n, D]``.

    Raises:
        ValueError: as `TorchClassifier.encode`.
    """
    batch, _ = model.encode([text])
    inputs = Inputs(batch["input_ids"], batch["attention_mask"], batch.get("token_type_ids"))
    view = view_of(model.hf_model)
    with torch.inference_mode():
        embedded = view.embed(inputs, original_positions(inputs.attention_mask))  # [1, n, E]
        return view.start(embedded)[0].float().cpu().numpy()
