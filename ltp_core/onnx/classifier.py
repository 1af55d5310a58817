"""What all models share that run a written graph and no PyTorch: what they know, and a batch text by text."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ltp_core import checkpoints
from ltp_core.bases import CheckpointError
from ltp_core.checkpoints import Settings
from ltp_core.prediction import PrunedOutput, TextClassifier
from ltp_core.rules import Dense, Rule, Thresholds, alive_counts
from ltp_core.run import Run
from ltp_core.weights.pretrained import load_config, load_tokenizer


@dataclass(frozen=True)
class GraphAnswer:
    """What a graph says of one text of n tokens.

    Attributes:
        logits: ``[1, C]``.
        kept: for each layer, the positions of the tokens that it kept, rising.
        importance: for each layer, the shares of the tokens that entered it; None where nobody computed them.
    """

    logits: np.ndarray
    kept: Sequence[np.ndarray]
    importance: Sequence[np.ndarray | None]


@dataclass(frozen=True)
class Known:
    """What lies beside a graph.

    Attributes:
        config: the Hugging Face config.
        tokenizer: of the model, or None.
        thresholds: the learned thresholds; None if there are none.
        settings: how thresholds are read.
        name: what it was loaded as.
    """

    config: Any
    tokenizer: Any = None
    thresholds: Sequence[float] | None = None
    settings: Settings | None = None
    name: str = "model"

    @classmethod
    def of(cls, model: TextClassifier) -> "Known":
        """What a model knows that the graph was made of."""
        return cls(model.config, model.tokenizer, model.thresholds, model.settings, model.name)

    @classmethod
    def beside(cls, graph: Path, name: str) -> "Known":
        """Read it from the folder that `export` wrote.

        Raises:
            CheckpointError: if it is not there, or cannot be read.
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
        return cls(config, tokenizer, thresholds, settings, name)


class GraphClassifier(TextClassifier):
    """Runs a graph over one text after the other, without padding. Thresholds go in with each call.

    Args:
        known: what lies beside the graph.
        layers: how many it has.
        digest: SHA-256 of the graph.
    """

    runtime: str  # for messages
    precision: str  # "float32" or "int8"

    def __init__(self, known: Known, layers: int, digest: str) -> None:
        self._config, self.tokenizer, self.name = known.config, known.tokenizer, known.name
        values = known.thresholds
        self.thresholds = None if values is None else tuple(float(theta) for theta in values)
        self.settings = known.settings or Settings()
        self.layers = layers
        self._graph_digest = digest
        self.learned_rule.check(layers)

    def written_in(self, precision: str) -> Self:
        """This model, if its graph was written in the precision that is asked for.

        Raises:
            CheckpointError: if not.
        """
        if self.precision != precision:
            raise CheckpointError(
                f"this graph was written in {self.precision}: ask for that, not {precision}"
            )
        return self

    @abstractmethod
    def answer_one(self, ids: Tensor, segments: Tensor, rule: Rule, record: bool) -> GraphAnswer:
        """Run one text, ``[1, n]`` twice, under a rule that was checked."""

    def answer_all(
        self, texts: Sequence[tuple[Tensor, Tensor]], rule: Rule, record: bool
    ) -> list[GraphAnswer]:
        """Run the texts of a batch, as `answer_one` takes them, in any order or at once."""
        return [self.answer_one(*text, rule, record) for text in texts]

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
            record: have the importance of every layer, also where the rule does not need it.
            attention_layer: attention is not kept: None.

        Raises:
            ValueError: for another rule, or attention asked for.
        """
        if attention_layer is not None:
            raise ValueError(f"{self.runtime} returns no attention: use the PyTorch backend for it")
        rule = self.checked(rule)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        masks = np.zeros((self.layers, *mask.shape), dtype=bool)
        shares = np.zeros((self.layers, *mask.shape), dtype=np.float32)
        computed = [True] * self.layers
        columns = [np.flatnonzero(real) for real in mask.bool().cpu().numpy()]  # [n] each, of its tokens
        rows = [(input_ids[row : row + 1, at], segments[row : row + 1, at]) for row, at in enumerate(columns)]
        answers = self.answer_all(rows, rule, record)
        for row, (at, answer) in enumerate(zip(columns, answers, strict=True)):
            entering = at
            for layer, (kept, share) in enumerate(zip(answer.kept, answer.importance, strict=True)):
                computed[layer] = share is not None
                if share is not None:
                    shares[layer, row, entering] = share
                entering = at[kept]
                masks[layer, row, entering] = True
        seen = [
            share if there else None for share, there in zip(torch.from_numpy(shares), computed, strict=True)
        ]
        run = Run(
            torch.from_numpy(np.concatenate([answer.logits for answer in answers])),
            tuple(torch.from_numpy(masks)),
            tuple(seen),
        )
        return PrunedOutput(None, run.logits, alive_counts(run.masks), run)

    def checked(self, rule: Rule | None) -> Rule:
        """The rule, or the learned one for None.

        Raises:
            ValueError: for a rule that the graph does not know.
        """
        rule = self.learned_rule if rule is None else rule
        if not isinstance(rule, Thresholds | Dense):
            raise ValueError(
                f"the {self.runtime} graph knows Thresholds and Dense, not {type(rule).__name__}"
            )
        rule.check(self.layers)
        return rule
