"""`PrunedModel`: a Hugging Face encoder that prunes tokens as it is called. The one thing users hold."""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from ltp_core import checkpoints, hub
from ltp_core.architectures import view_of
from ltp_core.architectures.packed_weights import PackedWeights
from ltp_core.bases import CheckpointError
from ltp_core.checkpoints import Settings
from ltp_core.files.whole import whole_folder
from ltp_core.forward.engine import removed_forward
from ltp_core.forward.masked import hard_gate, padded_forward
from ltp_core.importance import SAMPLE
from ltp_core.onnx.int8 import warn_without_vnni
from ltp_core.prediction import Prediction, PrunedOutput, Text, TextClassifier, TorchClassifier, columns
from ltp_core.rules import Dense, Rule, alive_counts
from ltp_core.run import Inputs
from ltp_core.weights.pretrained import save_tokenizer

if TYPE_CHECKING:
    from ltp_core.onnx.model import OnnxModel
    from ltp_core.openvino import OpenVinoModel

__all__ = ["Execution", "Prediction", "PrunedModel", "PrunedOutput", "Text", "columns", "task_loss"]

_BOTH = ("float32", "int8")
PRECISIONS = {"torch": ("float32",), "onnxruntime": _BOTH, "openvino": _BOTH}  # of each backend
Execution = Literal["removed", "masked"]


class PrunedModel(nn.Module, TorchClassifier):
    """A Hugging Face encoder with a sequence-classification head whose tokens are pruned on the way.

    Thresholds go in with each call; a call never changes the model, so many users can share one.

    Attributes:
        hf_model: the Hugging Face model, untouched and usable.
        tokenizer: of the model, or None.
        thresholds: the learned thresholds, one a layer; None if there are none.
        settings: how thresholds are read, and where the model comes from.
        name: what it was loaded as.
    """

    def __init__(
        self,
        hf_model: Any,
        tokenizer: Any = None,
        thresholds: Sequence[float] | None = None,
        settings: Settings | None = None,
        name: str = "model",
    ) -> None:
        super().__init__()
        self._packed = PackedWeights()
        self.hf_model = hf_model
        self.tokenizer = tokenizer
        self.settings = settings or Settings()
        self.name = name
        self.thresholds = None if thresholds is None else tuple(float(theta) for theta in thresholds)
        self.layers = len(view_of(hf_model).layers)
        self.learned_rule.check(self.layers)
        _ = self.classes  # says so, if their names are not usable
        self.eval()

    @overload
    @classmethod
    def from_pretrained(
        cls, source: str | Path, weights: str = "ltp", backend: Literal["torch"] = "torch"
    ) -> "PrunedModel": ...

    @overload
    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        weights: str = "ltp",
        *,
        backend: Literal["onnxruntime"],
        precision: str = "float32",
    ) -> "OnnxModel": ...

    @overload
    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        weights: str = "ltp",
        *,
        backend: Literal["openvino"],
        precision: str = "float32",
        calibration: Sequence[Text] | None = None,
    ) -> "OpenVinoModel": ...

    @overload
    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        weights: str = "ltp",
        *,
        backend: str,
        precision: str = "float32",
        calibration: Sequence[Text] | None = None,
    ) -> TextClassifier: ...

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        weights: str = "ltp",
        backend: str = "torch",
        precision: str = "float32",
        calibration: Sequence[Text] | None = None,
    ) -> Any:
        """Load a shipped model by name, a folder, or an id on the Hub, in evaluation mode.

        Args:
            source: for example "sst2".
            weights: "ltp", or "baseline" for the separately tuned dense model shipped beside it.
            backend: "torch"; or "onnxruntime" or "openvino" for a model with the same calls, from a folder
                that `export` wrote, or converted now: that takes half a minute, once, as it is kept.
            precision: of the numbers, see `PRECISIONS`; for an exported folder, what it was written in.
            calibration: for OpenVINO's int8, texts like those that will be read; None for sentences of ours.

        Raises:
            CheckpointError: (a ValueError) one line that says what cannot be found, read or trusted.
            ValueError: for an unknown backend, a precision that it has not, or packages that are missing.
        """
        if backend not in PRECISIONS:
            raise ValueError(f"backend must be {' or '.join(map(repr, PRECISIONS))}, got {backend!r}")
        if precision not in PRECISIONS[backend]:
            has = "; ".join(f"{name}: {', '.join(known)}" for name, known in PRECISIONS.items())
            raise ValueError(f"the backend {backend} has no precision {precision!r}; there is {has}")
        if precision == "int8":
            warn_without_vnni()
        if backend == "onnxruntime":
            from ltp_core.onnx.export import cached_onnx  # an extra: its packages may be missing
            from ltp_core.onnx.model import OnnxModel, graph_at

            if graph := graph_at(source):
                return OnnxModel.from_file(graph, str(source), precision)
            return cached_onnx(cls.from_pretrained(source, weights), precision)
        if backend == "openvino":
            from ltp_core import openvino

            if graph := openvino.graph_at(source):
                return openvino.OpenVinoModel.from_file(graph, str(source), precision)
            return openvino.cached_openvino(cls.from_pretrained(source, weights), precision, calibration)
        found = checkpoints.load_checkpoint(source, weights)
        try:
            model = cls(found.model, found.tokenizer, found.thresholds, found.settings, found.name)
            _check_reading(model)
        except ValueError as error:
            raise CheckpointError(f"{source}: {error}") from None
        return model

    @classmethod
    def wrap(cls, hf_model: Any, tokenizer: Any = None) -> "PrunedModel":
        """Wrap any supported model with a sequence-classification head; it has no thresholds yet.

        The model is put into evaluation mode. Its importance is averaged over `importance.SAMPLE` queries.

        Raises:
            ValueError: for a family that is not known, or one that we would read wrongly: without
                pruning, the logits must be Hugging Face's own.
        """
        model = cls(hf_model, tokenizer, settings=Settings(importance_queries=SAMPLE))
        _check_reading(model)
        return model

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the Hugging Face model and tokenizer, untouched, with thresholds and settings beside them.

        The folder is a model when all of it is there: what is interrupted leaves none that can be loaded.

        What peft added (LoRA) is merged into the weights of a copy, so that the folder is a plain model.
        """
        folder = Path(folder)
        if getattr(self.hf_model, "_hf_peft_config_loaded", False):
            raise ValueError("this model has an adapter inside, which alone would be saved: merge it first")
        with whole_folder(folder) as part:
            self.merged().hf_model.save_pretrained(part)
            if self.tokenizer is not None:
                save_tokenizer(self.tokenizer, part)
            if self.thresholds is not None:
                checkpoints.save_thresholds(part, self.thresholds)
            else:
                (folder / checkpoints.THRESHOLDS_FILE).unlink(missing_ok=True)  # of a model saved here before
            replace(self.settings, base=None, files={}, results={}).write(part)

    def merged(self) -> "PrunedModel":
        """The same with what peft added (LoRA) merged into a copy of the weights, which runs faster.

        Returns:
            A model that shares no weights with this one; this one itself if nothing was added.
        """
        if not hasattr(self.hf_model, "merge_and_unload"):  # peft; it works in place
            return self
        plain = copy.deepcopy(self.hf_model).merge_and_unload()
        return PrunedModel(plain, self.tokenizer, self.thresholds, self.settings, self.name)

    def push_to_hub(self, repo: str, **options: Any) -> str:
        """Upload the model to the Hub, with a card; arguments and errors as for `ltp_core.hub.push`."""
        return hub.push(self, repo, **options)

    def train(self, mode: bool = True) -> "PrunedModel":
        """Set the mode of all modules, and forget packed weights: who trains is going to change them."""
        self._packed.clear()
        return super().train(mode)

    @property
    def config(self) -> Any:
        """The Hugging Face config."""
        return self.hf_model.config

    def _weights_digest(self) -> str:
        found = hashlib.sha256()
        for name, weight in sorted(self.hf_model.state_dict().items()):
            found.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
            found.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return found.hexdigest()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.hf_model.parameters()).device

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        rule: Rule | None = None,
        execution: Execution = "removed",
        inputs_embeds: Tensor | None = None,
        record: bool = False,
        attention_layer: int | None = None,
        importance_queries: int | Literal["all"] | None = None,
    ) -> PrunedOutput:
        """Run a padded batch.

        Args:
            input_ids: ``[B, n]``.
            attention_mask: ``[B, n]``, 1 for real tokens; None means that all are.
            token_type_ids: ``[B, n]``, or None.
            labels: `[B]`, `[B, C]` of a multi-label model; adds a loss.
            rule: who stays; None for the learned thresholds.
            execution: "removed" gathers the survivors and computes nothing else; "masked" is the
                padded reference.
            inputs_embeds: word embeddings ``[B, n, E]`` instead of ids.
            record: keep the importance of every layer, also where the rule does not need it.
            attention_layer: keep this layer's attention ("removed" only).
            importance_queries: average the importance over so many queries, or over "all"; None for as many
                as this model was trained with.

        Raises:
            ValueError: for a rule that does not fit, an unknown execution, a bad number, or no input.
        """
        inputs = _inputs(input_ids, attention_mask, token_type_ids, inputs_embeds)
        rule = self.learned_rule if rule is None else rule
        rule.check(self.layers)
        if attention_layer is not None and execution != "removed":
            raise ValueError("attention is kept in 'removed' execution only")
        if attention_layer is not None and not 1 <= attention_layer <= self.layers:
            raise ValueError(
                f"layer {attention_layer} does not exist: this model has layers 1 to {self.layers}"
            )
        queries = self.queries(importance_queries)
        removed = execution == "removed"
        view = view_of(self._packed.of(self.hf_model) if removed else self.hf_model)
        if removed:
            run = removed_forward(view, inputs, rule, record, attention_layer, queries)
        elif execution == "masked":
            run = padded_forward(view, inputs, hard_gate(rule), queries)
        else:
            raise ValueError(f"execution must be 'removed' or 'masked', got {execution!r}")
        loss = None if labels is None else task_loss(run.logits, labels)
        return PrunedOutput(loss, run.logits, alive_counts(run.masks).long(), run)


def task_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss that fits the labels of logits ``[B, C]``, a scalar.

    Cross-entropy for ``[B]``, squared error where there is one output; for ``[B, C]``, 0 or 1 for each label
    of a multi-label model, the mean binary cross-entropy.
    """
    if logits.shape[-1] == 1:
        return mse_loss(logits.squeeze(-1), labels.flatten().to(logits.dtype))
    if labels.shape == logits.shape:
        return binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    return cross_entropy(logits, labels)


def _inputs(
    input_ids: Tensor | None,
    attention_mask: Tensor | None,
    token_type_ids: Tensor | None,
    inputs_embeds: Tensor | None,
) -> Inputs:
    if (input_ids is None) == (inputs_embeds is None):
        raise ValueError("give either input_ids or inputs_embeds")
    tokens = input_ids if input_ids is not None else inputs_embeds[..., 0]  # type: ignore[index]
    if attention_mask is None:
        attention_mask = torch.ones(tokens.shape, dtype=torch.long, device=tokens.device)
    if attention_mask.shape != tokens.shape or not bool(attention_mask.bool().any(dim=-1).all()):
        raise ValueError("attention_mask must have the shape of the input, and a real token in each row")
    return Inputs(input_ids, attention_mask, token_type_ids, inputs_embeds)


def _check_reading(model: PrunedModel) -> None:
    """Compare with Hugging Face's own forward on a few fixed ids: fail closed on what we misread.

    One text is long enough for a local window to hide tokens and for relative positions to differ; the
    other is padded.
    """
    pad = getattr(view_of(model.hf_model).encoder.get_input_embeddings(), "padding_idx", None) or 0
    words = torch.arange(model.config.vocab_size)
    words = words[words != pad]  # RoBERTa numbers positions by what is no padding
    windows = [window for window in model.dimensions.windows if window is not None]
    length = min(model.max_tokens, max([32, *(window + 32 for window in windows)]))
    mask = torch.arange(length) < torch.tensor([[length], [length * 3 // 4]])  # [2, n]
    ids = words[(7919 * torch.arange(2 * length)).remainder(len(words))].reshape(2, length)  # 7919 is prime
    ids = torch.where(mask, ids, pad).to(model.device)
    batch = {"input_ids": ids, "attention_mask": mask.long().to(model.device)}
    with torch.no_grad():
        expected = model.hf_model(**batch).logits
        found = [model(**batch, rule=Dense(), execution=e).logits for e in ("masked", "removed")]
    if not expected.isfinite().all():
        raise ValueError("its weights compute no finite numbers: they are damaged")
    tolerance = 5e-5 if expected.dtype == torch.float32 else 5e-2
    for logits in found:
        if not torch.allclose(logits.to(expected.dtype), expected, atol=tolerance, rtol=tolerance):
            difference = float((logits - expected).abs().max())
            raise ValueError(
                f"{type(model.hf_model).__name__} is not read correctly (logits differ by {difference:.2g})"
            )
