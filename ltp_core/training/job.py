"""What a training run is told: plain, checked dataclasses, stored with the model that comes out."""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

Method = Literal["dense", "ltp", "topk", "lat"]


@dataclass(frozen=True)
class Recipe:
    """How a stage is trained.

    Attributes:
        epochs: passes over the rows.
        learning_rate: peak, of the weights; linear decay to 0.
        batch_size: rows a step, on each process.
        warmup: share of the steps in which the learning rate rises.
        weight_decay: AdamW's.
        seed: of the classifier head, the order of the rows and dropout.
        max_tokens: longer rows are cut.
        bfloat16: compute matrix products in bfloat16 (weights stay float32).
        save_steps: a checkpoint to resume from, every so many steps.
    """

    epochs: float = 3.0
    learning_rate: float = 5e-5
    batch_size: int = 32
    warmup: float = 0.06
    weight_decay: float = 0.01
    seed: int = 0
    max_tokens: int = 128
    bfloat16: bool = True
    save_steps: int = 250

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if not min(self.epochs, self.learning_rate) > 0:
            raise ValueError("epochs and learning rate must be above 0")
        if min(self.batch_size, self.max_tokens, self.save_steps) < 1:
            raise ValueError("batch size, tokens of a row and steps between checkpoints must be at least 1")


@dataclass(frozen=True)
class Pruning:
    """How thresholds are learned.

    Attributes:
        target_flops: dense over pruned paper FLOPs to reach; None to use `penalty` instead.
        penalty: the paper's lambda, on the mean mask over real tokens.
        temperature: T of the gates' gradient, in the unit of the importance.
        length_exponent: alpha in ``n^alpha s >= theta``.
        threshold_rate: learning rate of the thresholds.
        first_threshold: initial threshold of the first layer,
        last_threshold: of the last layer, linear between: rising ones do better than flat ones.
        distill: share of the loss that is divergence from the dense model's outputs.
        shortest: rows with fewer tokens are left out. At a threshold theta up to 1/theta tokens may
            stay, so short rows lose nothing and teach nothing about pruning.
        augment: made-up rows for each real one, see `augment.made_up`.
    """

    target_flops: float | None = 2.1
    penalty: float = 0.0
    temperature: float = 0.004
    length_exponent: float = 0.0
    threshold_rate: float = 4e-4
    first_threshold: float = 0.004
    last_threshold: float = 0.03
    distill: float = 0.5
    shortest: int = 0
    augment: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.target_flops is not None and not self.target_flops >= 1:
            raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {self.target_flops}")
        usable = min(self.penalty, self.augment) >= 0 and 0 <= self.distill <= 1 and self.temperature > 0
        if not usable or not math.isfinite(self.length_exponent):
            raise ValueError(
                "penalty and augment must not be negative, distill between 0 and 1, temperature positive"
            )


@dataclass(frozen=True)
class Job:
    """One training run, from data to model.

    Attributes:
        task: a name in `TASKS`, or a data file.
        data: file, folder or Hub id; None for the task's own place on the Hub.
        base: name of a base, a folder, or a Hub id to start from.
        baseline: folder of a dense model that an earlier run trained; None to train one.
        method: "dense" stops after the baseline; "topk" and "lat" train a rival on it instead.
        dense: how the baseline is trained.
        pruned: how the pruned weights are trained.
        pruning: how the thresholds are learned.
        tuning: whole rows held out to choose things on.
        untouched: whole rows held out to measure on only.
        limit: use only the first so many training rows.
    """

    task: str
    data: str | None
    base: str
    baseline: str | None
    method: Method
    dense: Recipe
    pruned: Recipe
    pruning: Pruning
    tuning: int = 500
    untouched: int = 1000
    limit: int | None = None

    def __post_init__(self) -> None:
        """Refuse what leaves nothing to choose on."""
        if self.tuning < 1 or self.untouched < 0 or (self.limit is not None and self.limit < 1):
            raise ValueError("tuning rows and limit must be at least 1, untouched rows not negative")

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Job":
        """Read what `dataclasses.asdict` made of a job."""
        recipes = {name: Recipe(**described[name]) for name in ("dense", "pruned")}
        known = {field.name: described[field.name] for field in fields(cls)}
        return cls(**{**known, **recipes, "pruning": Pruning(**described["pruning"])})
