"""`PrunedModel`: a Hugging Face encoder that prunes tokens as it is called. The one thing users hold."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from ltp_core import checkpoints
from ltp_core.architectures import view_of
from ltp_core.checkpoints import CheckpointError, Settings
from ltp_core.engine import removed_forward
from ltp_core.flops import Dimensions, executed_flops, paper_flops
from ltp_core.masked import hard_gate, padded_forward, soft_gate
from ltp_core.rules import Dense, Rule, Thresholds, alive_counts, observed_layers
from ltp_core.run import Inputs, Run
from ltp_core.trace import AttentionTrace, LayerTrace, Trace

# Fast tokenizers keep truncation and padding as state of their own, which a second thread would change.
_tokenizing = threading.Lock()

Execution = Literal["removed", "masked", "soft"]
Text = str | tuple[str, str]


@dataclass(frozen=True)
class PrunedOutput:
    """What a call returns.

    Attributes:
        loss: scalar, if labels were given: cross-entropy, or squared error for a regression.
        logits: ``[B, C]``.
        alive: long ``[B, L]``, tokens left after each layer (rounded sums of the masks in soft runs).
        run: everything else that happened.
    """

    loss: Tensor | None
    logits: Tensor
    alive: Tensor
    run: Run


@dataclass(frozen=True)
class Prediction:
    """What the model says about one text.

    Attributes:
        label: the predicted label's name; None for a regression.
        probabilities: label name -> probability; empty for a regression.
        value: the predicted number of a regression; None for a classification.
        flops: paper FLOPs of the encoder.
        dense_flops: paper FLOPs with nothing pruned.
        executed_flops: what the engine runs, classifier included, when no trace is asked for.
        trace: what happened to every token.
    """

    label: str | None
    probabilities: dict[str, float]
    value: float | None
    flops: int
    dense_flops: int
    executed_flops: int
    trace: Trace

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned paper FLOPs, at least 1."""
        return self.dense_flops / self.flops


class PrunedModel(nn.Module):
    """A Hugging Face encoder with a sequence-classification head whose tokens are pruned on the way.

    Thresholds go in with each call; a call never changes the model, so many users can share one.

    Attributes:
        hf_model: the Hugging Face model, untouched and usable.
        tokenizer: its tokenizer, or None.
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
        self.hf_model = hf_model
        self.tokenizer = tokenizer
        self.settings = settings or Settings()
        self.name = name
        self.thresholds = None if thresholds is None else tuple(float(theta) for theta in thresholds)
        self.layers = len(view_of(hf_model).layers)
        self.learned_rule.check(self.layers)
        self.eval()

    @classmethod
    def from_pretrained(cls, source: str | Path, weights: str = "ltp") -> "PrunedModel":
        """Load a shipped model by name, a folder, or an id on the Hub, in evaluation mode.

        Args:
            source: for example "sst2".
            weights: "ltp", or "baseline" for the separately tuned dense model shipped beside it.

        Raises:
            CheckpointError: (a ValueError) one line that says what cannot be found, read or trusted.
        """
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

        The model is put into evaluation mode.

        Raises:
            ValueError: for a family that is not known, or one that we would read wrongly: without
                pruning, the logits must be Hugging Face's own.
        """
        model = cls(hf_model, tokenizer)
        _check_reading(model)
        return model

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the Hugging Face model and tokenizer, untouched, with thresholds and settings beside them."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.hf_model.save_pretrained(folder)
        if self.tokenizer is not None:
            self.tokenizer.save_pretrained(folder)
        if self.thresholds is not None:
            checkpoints.save_thresholds(folder, self.thresholds)
        else:
            (folder / checkpoints.THRESHOLDS_FILE).unlink(missing_ok=True)  # of a model saved here before
        replace(self.settings, base=None, files={}, results={}).write(folder)

    @property
    def learned_rule(self) -> Rule:
        """The learned thresholds as a rule; `Dense` if there are none."""
        if self.thresholds is None:
            return Dense()
        return Thresholds(self.thresholds, self.settings.length_exponent)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.hf_model.parameters()).device

    @property
    def dimensions(self) -> Dimensions:
        """The sizes that FLOPs depend on."""
        return Dimensions.of(self.hf_model.config)

    @property
    def max_tokens(self) -> int:
        """The longest input, in tokens, special ones included."""
        positions = int(self.hf_model.config.max_position_embeddings)
        return positions if self.tokenizer is None else min(positions, int(self.tokenizer.model_max_length))

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
    ) -> PrunedOutput:
        """Run a padded batch.

        Args:
            input_ids: ``[B, n]``.
            attention_mask: ``[B, n]``, 1 for real tokens; None means that all are.
            token_type_ids: ``[B, n]``, or None.
            labels: ``[B]``; adds a loss.
            rule: who stays; None for the learned thresholds.
            execution: "removed" gathers the survivors and computes nothing else; "masked" is the
                padded reference; "soft" uses sigmoid gates and is differentiable in the importance.
            inputs_embeds: word embeddings ``[B, n, E]`` instead of ids.
            record: keep the importance of every layer, also where the rule does not need it.
            attention_layer: keep this layer's attention ("removed" only).

        Raises:
            ValueError: for a rule that does not fit, an unknown execution, or no input.
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
        view = view_of(self.hf_model)
        if execution == "removed":
            run = removed_forward(view, inputs, rule, record, attention_layer)
        elif execution == "masked":
            run = padded_forward(view, inputs, hard_gate(rule))
        elif execution == "soft":
            if not isinstance(rule, Thresholds):
                raise ValueError("soft execution needs thresholds: they are what its gates are made of")
            thresholds = torch.tensor(rule.values, device=inputs.attention_mask.device)
            run = padded_forward(
                view, inputs, soft_gate(thresholds, self.settings.temperature, rule.length_exponent)
            )
        else:
            raise ValueError(f"execution must be 'removed', 'masked' or 'soft', got {execution!r}")
        loss = None if labels is None else task_loss(run.logits, labels)
        return PrunedOutput(loss, run.logits, alive_counts(run.masks).round().long(), run)

    def encode(self, texts: Sequence[Text]) -> tuple[Any, list[int]]:
        """Tokenize texts or pairs to a padded batch on the model's device.

        Returns:
            ``(batch, truncated)``: what the tokenizer returns, and how many tokens of each text did
            not fit and were cut.

        Raises:
            ValueError: if there is no tokenizer, no text, a mixture of texts and pairs, or a text
                without a token.
        """
        if self.tokenizer is None:
            raise ValueError("this model was wrapped without a tokenizer, so it cannot read text")
        firsts, seconds = columns(texts)
        fit = {"truncation": True, "max_length": self.max_tokens, "padding": True, "return_tensors": "pt"}
        with _tokenizing:
            whole = self.tokenizer(firsts, seconds, truncation=False, verbose=False)
            batch = self.tokenizer(firsts, seconds, **fit)
        for number in range(len(texts)):
            belongs = set(whole.sequence_ids(number))
            if 0 not in belongs or (seconds is not None and 1 not in belongs):
                raise ValueError("the text is empty: it has no token that the model could read")
        kept = batch["attention_mask"].sum(dim=-1).tolist()
        truncated = [len(ids) - n for ids, n in zip(whole["input_ids"], kept, strict=True)]
        return batch.to(self.device), truncated

    def predict(
        self, text: Text | list[Text], rule: Rule | None = None, attention_layer: int | None = None
    ) -> Any:
        """Classify a text, a pair ``(a, b)``, or a list of either as one packed batch.

        Args:
            text: what to read.
            rule: who stays; None for the learned thresholds.
            attention_layer: put this layer's attention into the trace.

        Returns:
            A `Prediction`, or a list of them for a list.

        Raises:
            ValueError: for an empty text, or a rule or layer that does not fit.
        """
        if not isinstance(text, list):
            return self.predict([text], rule, attention_layer)[0]
        rule = self.learned_rule if rule is None else rule
        batch, truncated = self.encode(text)
        with torch.inference_mode():
            output = self(
                batch["input_ids"],
                batch["attention_mask"],
                batch.get("token_type_ids"),
                rule=rule,
                record=True,
                attention_layer=attention_layer,
            )
        traces = _traces(batch, output.run, rule, truncated, attention_layer)
        return [
            self._prediction(logits, trace, rule) for logits, trace in zip(output.logits, traces, strict=True)
        ]

    def _prediction(self, logits: Tensor, trace: Trace, rule: Rule) -> Prediction:
        size, tokens = self.dimensions, len(trace.tokens)
        observed = observed_layers(rule, self.layers)
        label, value, probabilities = None, None, {}
        if len(logits) == 1:
            value = float(logits)
        else:
            names = self.hf_model.config.id2label
            shares = logits.double().softmax(dim=-1).tolist()
            probabilities = {names[index]: share for index, share in enumerate(shares)}
            label = names[int(logits.argmax())]
        return Prediction(
            label=label,
            probabilities=probabilities,
            value=value,
            flops=paper_flops(size, tokens, trace.alive),
            dense_flops=paper_flops(size, tokens, [tokens] * self.layers),
            executed_flops=executed_flops(size, tokens, trace.alive, observed),
            trace=trace,
        )


def columns(texts: Sequence[Text]) -> tuple[list[str], list[str] | None]:
    """Texts, or pairs of them, as the one or two columns that a tokenizer takes.

    Raises:
        ValueError: if there are none, or texts and pairs are mixed.
    """
    if not texts:
        raise ValueError("there is no text")
    for text in texts:
        try:
            "".join(text).encode()
        except (TypeError, UnicodeEncodeError):
            raise ValueError("a text holds something that is no Unicode text") from None
    if all(isinstance(text, str) for text in texts):
        return [str(text) for text in texts], None
    if not all(isinstance(text, tuple) and len(text) == 2 for text in texts):
        raise ValueError("give texts or pairs (a, b) of them, and not both in one list")
    return [text[0] for text in texts], [text[1] for text in texts]


def task_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, or squared error where there is one output: ``[B, C]`` and ``[B]`` -> scalar."""
    if logits.shape[-1] == 1:
        return mse_loss(logits.squeeze(-1), labels.to(logits.dtype))
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


def _traces(
    batch: Any, run: Run, rule: Rule, truncated: list[int], attention_layer: int | None
) -> list[Trace]:
    """Turn one run over a batch into plain numbers, one trace a text."""
    masks = [mask.tolist() for mask in run.masks]  # L times [B][n]
    importance = [values.tolist() for values in run.importance if values is not None]  # L times [B][n]
    traces = []
    for row, real in enumerate(batch["attention_mask"].bool().tolist()):
        at = [column for column, is_real in enumerate(real) if is_real]
        entering = [True] * len(at)
        layers, attention = [], None
        for number, (mask, share) in enumerate(zip(masks, importance, strict=True), start=1):
            shares = tuple(share[row][c] if was else None for c, was in zip(at, entering, strict=True))
            kept = tuple(bool(mask[row][c]) for c in at)
            layers.append(LayerTrace(number, rule.cutoff(number, sum(entering)), shares, kept))
            if run.attention is not None and number == attention_layer:
                heads = tuple(tuple(map(tuple, head)) for head in run.attention[row].tolist())
                attention = AttentionTrace(number, tuple(i for i, was in enumerate(entering) if was), heads)
            entering = list(kept)
        tokens = batch.tokens(row)
        segments = batch.sequence_ids(row)
        second = next((i for i, s in enumerate(segments) if s == 1), len(segments))
        traces.append(
            Trace(
                tokens=tuple(tokens[c] for c in at),
                segments=tuple(int(c >= second) for c in at),
                truncated_tokens=truncated[row],
                layers=tuple(layers),
                attention=attention,
            )
        )
    return traces


def _check_reading(model: PrunedModel) -> None:
    """Compare with Hugging Face's own forward on a few fixed ids: fail closed on what we misread."""
    config = model.hf_model.config
    ids = torch.arange(1, 9, device=model.device).remainder(config.vocab_size).unsqueeze(0)  # [1, 8]
    with torch.no_grad():
        expected = model.hf_model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        found = model(ids, rule=Dense(), execution="masked").logits
    tolerance = 5e-5 if expected.dtype == torch.float32 else 5e-2
    if not torch.allclose(found.to(expected.dtype), expected, atol=tolerance, rtol=tolerance):
        difference = float((found - expected).abs().max())
        raise ValueError(
            f"{type(model.hf_model).__name__} is not read correctly (logits differ by {difference:.2g})"
        )
