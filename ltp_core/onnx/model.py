"""A pruned model that ONNX Runtime runs: the same calls as `PrunedModel`, without PyTorch's layers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltp_core import checkpoints
from ltp_core.bases import CheckpointError, sha256
from ltp_core.checkpoints import Settings
from ltp_core.prediction import PrunedOutput, TextClassifier
from ltp_core.rules import Dense, Rule, Thresholds, alive_counts
from ltp_core.run import Run
from ltp_core.weights.pretrained import load_config, load_tokenizer

GRAPH_FILE = "model.onnx"

# These fusions make kernels that are slower than the plain operations on the CPU (docs/onnx.md).
_SLOWER = ["SkipLayerNormFusion", "BiasGeluFusion"]


class OnnxModel(TextClassifier):
    """A graph written by `export --format onnx`, with tokenizer and thresholds.

    The graph takes one text at a time; a batch runs one after the other. Thresholds go in with each call.

    Args:
        graph: the ONNX file.
        config: the Hugging Face config.
        tokenizer: of the model, or None.
        thresholds: the learned thresholds; None if there are none.
        settings: how thresholds are read.
        name: what it was loaded as.
        threads: ONNX Runtime's threads; None for as many as PyTorch has.
    """

    def __init__(
        self,
        graph: Path,
        config: Any,
        tokenizer: Any = None,
        thresholds: Sequence[float] | None = None,
        settings: Settings | None = None,
        name: str = "model",
        threads: int | None = None,
    ) -> None:
        self.session = session(graph, threads)
        self._graph_digest = sha256(graph)
        self._config = config
        self.tokenizer = tokenizer
        self.thresholds = None if thresholds is None else tuple(float(theta) for theta in thresholds)
        self.settings = settings or Settings()
        self.name = name
        facts = self.session.get_modelmeta().custom_metadata_map
        if "ltp.layers" not in facts:
            raise CheckpointError(f"{graph} was not written by `ltp export`: it does not say what it is")
        self.layers = int(facts["ltp.layers"])
        self.learned_rule.check(self.layers)

    @classmethod
    def from_file(cls, graph: Path, name: str, threads: int | None = None) -> "OnnxModel":
        """Load a graph from the folder that `export --format onnx` wrote it into.

        Raises:
            CheckpointError: if it cannot be read, or onnxruntime is missing.
        """
        folder = graph.parent
        if not (folder / "config.json").is_file():
            raise CheckpointError(f"{graph} has no config and tokenizer beside it: export into a folder")
        try:
            config, tokenizer = load_config(folder), load_tokenizer(folder)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"{folder} is not readable: {str(error).splitlines()[0]}") from None
        settings = Settings.read(folder)
        thresholds = checkpoints.read_thresholds(folder, settings.reference_length)
        return cls(graph, config, tokenizer, thresholds, settings, name, threads)

    @property
    def config(self) -> Any:
        """The Hugging Face config."""
        return self._config

    @property
    def device(self) -> torch.device:
        """Inputs have to be on the CPU."""
        return torch.device("cpu")

    def _weights_digest(self) -> str:
        return self._graph_digest

    def observed(self, rule: Rule) -> list[bool]:
        """The graph computes the importance of every layer, whatever the rule."""
        return [True] * self.layers

    def __call__(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        rule: Rule | None = None,
        record: bool = True,
        attention_layer: int | None = None,
    ) -> PrunedOutput:
        """Run a padded batch, one text after the other.

        Args:
            input_ids: ``[B, n]``.
            attention_mask: ``[B, n]``, 1 for real tokens; None means that all are.
            token_type_ids: ``[B, n]``, or None.
            rule: `Thresholds`, or `Dense`; None for the learned thresholds.
            record: the importance of every layer is always there.
            attention_layer: attention is not kept: None.

        Raises:
            ValueError: for another rule, or attention asked for.
        """
        if attention_layer is not None:
            raise ValueError("onnxruntime returns no attention: use the PyTorch backend for it")
        thresholds = self.threshold_input(rule)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        masks = [torch.zeros(mask.shape, dtype=torch.bool) for _ in range(self.layers)]
        shares = [torch.zeros(mask.shape) for _ in range(self.layers)]
        logits = []
        for row, real in enumerate(mask.bool()):
            at = real.nonzero().squeeze(-1)  # [n], the columns of the text's tokens
            feed = feeds(input_ids[row : row + 1, at], segments[row : row + 1, at], thresholds)
            answer, left, kept, importance = map(torch.from_numpy, self.session.run(None, feed))
            logits.append(answer)
            entering = at
            counts = left.tolist()
            sizes = [len(at), *counts[:-1]]
            parts = zip(kept.split(counts), importance.split(sizes), strict=True)
            for layer, (positions, share) in enumerate(parts):
                shares[layer][row, entering] = share
                entering = at[positions]
                masks[layer][row, entering] = True
        run = Run(torch.cat(logits), tuple(masks), tuple(shares))
        return PrunedOutput(None, run.logits, alive_counts(run.masks), run)

    def threshold_input(self, rule: Rule | None) -> np.ndarray:
        """A rule as the graph's input `thresholds`, float32 ``[L]``.

        Raises:
            ValueError: for a rule that the graph does not know.
        """
        rule = self.learned_rule if rule is None else rule
        if isinstance(rule, Dense):
            return np.zeros(self.layers, dtype=np.float32)
        if not isinstance(rule, Thresholds):
            raise ValueError(f"the ONNX graph knows Thresholds and Dense, not {type(rule).__name__}")
        rule.check(self.layers)
        if any(rule.values) and rule.reference_length != self.reference_length:
            raise ValueError(
                f"this graph was exported with reference length {self.reference_length}; "
                f"the rule has {rule.reference_length}"
            )
        return np.array(rule.values, dtype=np.float32)


def graph_at(source: str | Path) -> Path | None:
    """The graph of an exported folder, or the file itself; None where there is no such file."""
    path = Path(source)
    graph = path if path.suffix == ".onnx" else path / GRAPH_FILE
    return graph if graph.is_file() else None


def feeds(input_ids: Tensor, token_type_ids: Tensor, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    """The graph's inputs for one text without padding, ``[1, n]`` each."""
    ids = input_ids.cpu()
    return {
        "input_ids": ids.numpy(),
        "attention_mask": np.ones(ids.shape, dtype=np.int64),
        "token_type_ids": token_type_ids.cpu().numpy(),
        "thresholds": thresholds,
    }


def session(graph: Path, threads: int | None = None, device: str = "cpu") -> Any:
    """Open a graph in ONNX Runtime with all optimisations that pay.

    Args:
        graph: an ONNX file.
        threads: within an operator; None for as many as PyTorch has.
        device: "cpu", or "cuda" where onnxruntime has it.

    Raises:
        CheckpointError: if onnxruntime is missing, lacks the device, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise CheckpointError("the package onnxruntime is missing: pip install onnxruntime") from None
    provider = f"{device.upper()}ExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise CheckpointError(f"onnxruntime cannot use {device} here; it runs on cpu")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads() if threads is None else threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Its threads wait busily between runs and take the cores from whoever comes next, PyTorch included.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=[provider], disabled_optimizers=_SLOWER)
    except Exception as error:  # onnxruntime's own kinds have no common base
        raise CheckpointError(f"onnxruntime cannot read {graph}: {str(error).splitlines()[0]}") from None
