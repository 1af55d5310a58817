"""What a training run is told: plain, checked dataclasses, stored with the model that comes out."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ltp_core.checkpoints import refuse_exponent
from ltp_core.importance import SAMPLE, checked_queries
from ltp_core.rules.table import DENSE, trained_rules
from ltp_core.rules.thresholds import checked_reference_length

METHODS = (DENSE.name, *trained_rules())
if TYPE_CHECKING:
    TrainingMethod = str
else:
    TrainingMethod = Literal[METHODS]  # the command line offers these; a type checker cannot follow the table

# How a pruning stage hides tokens. "straight-through": hard gates with the soft gate's gradient, thresholds
# and weights learn together. "soft": soft gates that attention sees, likewise. "soft-output": the paper's
# soft masks on the layers' outputs, likewise. "hard": fixed thresholds, the weights learn to live with them.
# "held": the same, but one factor on the thresholds follows the weights so that the FLOPs stay what they are.
# The paper's recipe is soft-output, then hard.
Stage = Literal["straight-through", "soft", "soft-output", "hard", "held"]
GIVEN_THRESHOLDS = ("hard", "held")  # stages that learn none

FEWEST_TOKENS = 8  # of a row: fewer leave no room for text between [CLS] and [SEP]


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
        log_steps: a line in `metrics.jsonl`, every so many steps.
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
    log_steps: int = 25

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if not min(self.epochs, self.learning_rate) > 0:
            raise ValueError("epochs and learning rate must be above 0")
        if min(self.batch_size, self.save_steps, self.log_steps) < 1:
            raise ValueError("batch size and steps between checkpoints or lines must be at least 1")
        if self.max_tokens < FEWEST_TOKENS:
            raise ValueError(f"rows must be cut at {FEWEST_TOKENS} tokens at least, not at {self.max_tokens}")


@dataclass(frozen=True)
class Pruning:
    """How thresholds are learned.

    Temperature, rate and first thresholds are given as parts of the even share 1/n, what a token would
    receive if all received the same, so that one recipe fits short and long inputs. `in_unit` takes them to
    shares.

    Attributes:
        target_flops: dense over pruned paper FLOPs to reach; None to use `penalty` instead.
        penalty: the paper's lambda, on the mean mask over real tokens.
        temperature: T of the gates' gradient.
        last_temperature: where T falls to, geometrically, in each stage; None leaves it.
        reference_length: N, see `Thresholds`; None for thresholds that are shares of attention at any length.
        importance_queries: how many queries the importance is averaged over, see `ltp_core.importance`;
            None for all.
        threshold_rate: learning rate of the thresholds.
        first_threshold: initial threshold of the first layer.
        last_threshold: initial threshold of the last layer; those between rise evenly, which does better than
            flat ones.
        stages: one after another, with the same number of passes each.
        thresholds: initial thresholds, one a layer, as they are compared; None for the rising ones.
        distill: share of the loss that is divergence from the dense model's outputs.
        distill_hidden: weight of the difference of the hidden states to the dense model's.
        spared_layers: the first so many layers remove nothing: their thresholds are 0 and stay so.
        shortest: rows with fewer tokens are left out. At a threshold theta up to 1/theta tokens may
            stay, so short rows lose nothing and teach nothing about pruning.
        augment: more rows for each real one, made up as `augment.made_up` says.
        unlabelled: where these rows are drawn from instead (`augment.drawn`): a task's name, a file, a folder
            or a Hub id.
    """

    target_flops: float | None = 2.1
    penalty: float = 0.0
    temperature: float = 0.1
    reference_length: float | None = None
    threshold_rate: float = 0.01
    first_threshold: float = 0.1
    last_threshold: float = 0.75
    distill: float = 0.5
    shortest: int = 0
    augment: float = 0.0
    last_temperature: float | None = None
    stages: tuple[Stage, ...] = ("straight-through",)
    thresholds: tuple[float, ...] | None = None
    distill_hidden: float = 0.0
    spared_layers: int = 0
    unlabelled: str | None = None
    importance_queries: int | None = SAMPLE

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.target_flops is not None and not self.target_flops >= 1:
            raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {self.target_flops}")
        last = self.temperature if self.last_temperature is None else self.last_temperature
        positive = (self.temperature, last, self.threshold_rate)
        usable = (
            min(self.penalty, self.augment, self.distill_hidden, self.spared_layers) >= 0
            and 0 <= self.distill <= 1
        )
        checked_reference_length(self.reference_length)
        checked_queries(self.importance_queries)
        if not usable or not all(0 < value < math.inf for value in positive):
            raise ValueError(
                "penalty, augment, hidden states' weight and spared layers must not be negative, distill "
                "between 0 and 1, temperature and threshold rate positive"
            )
        if unknown := set(self.stages) - set(get_args(Stage)):
            raise ValueError(f"no stage {min(unknown)!r}; there is: {', '.join(get_args(Stage))}")
        if not self.stages or len(set(self.stages)) < len(self.stages):
            raise ValueError("name at least one stage, and each once")
        if self.thresholds is not None and not all(0 <= theta < math.inf for theta in self.thresholds):
            raise ValueError("initial thresholds must be finite, and must not be negative")
        for name in ("stages", "thresholds"):  # lists, as JSON has them
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))

    def first_thresholds(self, layers: int) -> tuple[float, ...]:
        """The initial thresholds of a model with so many layers.

        Raises:
            ValueError: if another number of them was given, or all layers are to be spared.
        """
        if self.spared_layers >= layers:
            raise ValueError(
                f"of {layers} layers, {self.spared_layers} spared leave none that removes tokens"
            )
        step = (self.last_threshold - self.first_threshold) / max(layers - 1, 1)
        rising = tuple(self.first_threshold + step * layer for layer in range(layers))
        start = rising if self.thresholds is None else self.thresholds
        if len(start) != layers:
            raise ValueError(f"this model has {layers} layers; got {len(start)} initial thresholds")
        return (0.0,) * self.spared_layers + start[self.spared_layers :]

    def in_unit(self, tokens: float) -> "Pruning":
        """The same recipe in shares of attention, for rows of so many tokens in the mean.

        Thresholds that act on such a row as ``theta min(1, N / n)`` start as the same parts of 1/n there.
        """
        even = 1 / tokens
        theta = even if self.reference_length is None else 1 / min(tokens, self.reference_length)
        return replace(
            self,
            temperature=self.temperature * even,
            last_temperature=None if self.last_temperature is None else self.last_temperature * even,
            threshold_rate=self.threshold_rate * theta,
            first_threshold=self.first_threshold * theta,
            last_threshold=self.last_threshold * theta,
        )

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Pruning":
        """Read what `dataclasses.asdict` made of one; earlier versions averaged over all queries.

        Raises:
            TypeError: if it is anything else.
            ValueError: for a length exponent, see `checkpoints.refuse_exponent`.
        """
        refuse_exponent(described)
        known = {name: value for name, value in described.items() if name != "length_exponent"}
        return cls(**{"importance_queries": None, **known})


@dataclass(frozen=True)
class Job:
    """One training run, from data to model.

    Attributes:
        task: a name in `TASKS`, or a data file.
        data: file, folder or Hub id; None for the task's own place on the Hub.
        base: name of a base, a folder, or a Hub id to start from.
        baseline: an earlier dense model, or a pruned one, whose own it then is; None to train one.
        method: of `METHODS`: "dense" stops after the baseline, each other trains a rule on it.
        dense: how the baseline is trained.
        pruned: how the pruned weights are trained.
        pruning: how the thresholds are learned.
        tuning: whole rows held out to choose things on.
        untouched: whole rows held out to measure on only.
        limit: use at most so many training rows, of all classes.
        ablation: what is different here, for the rows of results: "no-distill" gives ltp/no-distill.
        rank: of the difference to the base, learned as LoRA does; None to learn every weight.
        regression: the labels of a file are numbers to predict, even if all of them are whole.
    """

    task: str
    data: str | None
    base: str
    baseline: str | None
    method: TrainingMethod
    dense: Recipe
    pruned: Recipe
    pruning: Pruning
    tuning: int = 500
    untouched: int = 1000
    limit: int | None = None
    ablation: str | None = None
    rank: int | None = None
    regression: bool = False

    def __post_init__(self) -> None:
        """Refuse what nobody can train, and what leaves nothing to choose on."""
        if self.method not in METHODS:
            raise ValueError(f"no method {self.method!r}; there is: {', '.join(METHODS)}")
        if self.tuning < 1 or self.untouched < 0 or (self.limit is not None and self.limit < 1):
            raise ValueError("tuning rows and limit must be at least 1, untouched rows not negative")
        if self.rank is not None and self.rank < 1:
            raise ValueError(f"the rank of the difference to the base must be at least 1, got {self.rank}")

    def in_float32(self) -> "Job":
        """The same run with matrix products in float32."""
        dense, pruned = (replace(recipe, bfloat16=False) for recipe in (self.dense, self.pruned))
        return replace(self, dense=dense, pruned=pruned)

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Job":
        """Read what `dataclasses.asdict` made of a job; what an older version did not know is as usual.

        Raises:
            ValueError: if it is anything else.
        """
        try:
            recipes = {name: Recipe(**described[name]) for name in ("dense", "pruned")}
            known = {field.name: described[field.name] for field in fields(cls) if field.name in described}
            return cls(**{**known, **recipes, "pruning": Pruning.of(described["pruning"])})
        except KeyError as error:
            raise ValueError(f"these are not the settings of a training run: {error} is missing") from None
        except TypeError as error:
            raise ValueError(f"these are not the settings of a training run: {error}") from None


def portable(training: dict[str, Any], baseline: dict[str, Any]) -> dict[str, Any]:
    """What a run was told, without this machine's paths: what it takes to repeat it elsewhere.

    Args:
        training: of the run's settings.
        baseline: what its baseline's settings say, whose dense stage may have been another run's.
    """
    pruning = training["pruning"]
    if source := pruning.get("unlabelled"):
        pruning = {**pruning, "unlabelled": Path(source).name}  # a folder's name is its task's: imdb
    dense = baseline.get("dense", training["dense"])
    return {**training, "data": None, "baseline": None, "dense": dense, "pruning": pruning}


# What should be the same when methods are compared: the rows, the passes, what the dense model teaches.
_SHARED_TERMS = {
    "pruned": ("epochs", "learning_rate", "batch_size", "max_tokens"),
    "pruning": ("distill", "distill_hidden", "shortest", "augment", "unlabelled", "importance_queries"),
}


def differences(training: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """In what two runs, as their settings describe them, were not trained on the same terms.

    Seeds are left out, and so is what only one method reads, as thresholds are.

    Returns:
        Name of the setting -> what it was in the first and in the other.

    Raises:
        ValueError: if one of them does not describe a run.
    """
    one, two = _terms(Job.of(training)), _terms(Job.of(other))
    return {name: (one[name], two[name]) for name in one if one[name] != two[name]}


def _terms(job: Job) -> dict[str, Any]:
    """What must be the same in methods that are compared."""
    found = {name: getattr(job, name) for name in ("tuning", "untouched", "limit")}
    for part, names in _SHARED_TERMS.items():
        found |= {name: getattr(getattr(job, part), name) for name in names}
    source = found["unlabelled"]
    return {**found, "unlabelled": source and Path(source).name}  # as `portable` stores it
