"""A model to the Hugging Face Hub, with a card that says what was measured and how to load it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any, Protocol

from ltp_core.checkpoints import Settings

CARD = Path(__file__).with_name("hub_card.md")


class CurvePoint(Protocol):
    """A point of the curve, as `ltp_core.data.survey` measures it."""

    @property
    def factor(self) -> float:
        """What the thresholds were multiplied with."""
        ...

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned paper FLOPs."""
        ...

    @property
    def agreement(self) -> float | None:
        """Share of texts with the dense run's answer."""
        ...

    @property
    def score(self) -> float | None:
        """The task's metric."""
        ...


class Publishable(Protocol):
    """What is pushed: a model that can write itself into a folder."""

    settings: Settings
    thresholds: tuple[float, ...] | None

    @property
    def config(self) -> Any:
        """The Hugging Face config."""
        ...

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model."""
        ...


def push(
    model: Publishable,
    repo: str,
    curve: Sequence[CurvePoint] = (),
    private: bool = False,
    token: str | None = None,
    message: str = "Push a model that prunes tokens",
) -> str:
    """Upload a model with its card, and make the repository if it is not there.

    Args:
        model: what to push.
        repo: "name" or "owner/name".
        curve: points to put into the card, for example `survey(…).curve`.
        private: whether a new repository is.
        token: of an account that may write there; None for the one that `hf auth login` stored.
        message: of the commit.

    Returns:
        The address of the commit.

    Raises:
        ValueError: one line that says why the Hub did not take it.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    try:
        name = api.create_repo(repo, private=private, exist_ok=True).repo_id
        with tempfile.TemporaryDirectory() as draft:
            model.save_pretrained(draft)
            text = card(name, model, curve)
            (Path(draft) / "README.md").write_text(text, encoding="utf-8")
            commit = api.upload_folder(repo_id=name, folder_path=draft, commit_message=message)
    except Exception as error:  # the Hub's client raises many kinds, of several libraries
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"cannot push to {repo}: {reason}") from None
    return str(commit.commit_url)


def card(name: str, model: Publishable, curve: Sequence[CurvePoint] = ()) -> str:
    """The model card: how to load it, its settings, what was measured."""
    settings, thresholds = model.settings, model.thresholds
    shown = {
        "family": model.config.model_type,
        "layers": len(thresholds) if thresholds else None,
        "task": settings.task,
        "reference length": settings.reference_length,
        "queries that importance is averaged over": settings.importance_queries,
        "thresholds, layer 1 to last": thresholds
        and ", ".join(f"{100 * theta:.2f} %" for theta in thresholds),
    }
    lines = [f"| {title} | {value} |" for title, value in shown.items() if value is not None]
    return Template(CARD.read_text(encoding="utf-8")).substitute(
        name=name, settings="\n".join(lines), measured=_measured(settings, curve)
    )


def _measured(settings: Settings, curve: Sequence[CurvePoint]) -> str:
    """Tables of the curve and of what `ltp results` measured; or that there is nothing."""
    parts = []
    if curve:
        rows = [
            f"| {point.factor:g} | {point.flops_reduction:.2f}× "
            f"| {_share(point.agreement)} | {_share(point.score)} |"
            for point in curve
        ]
        head = "| thresholds times | fewer FLOPs | same answer as dense | score |\n|---:|---:|---:|---:|\n"
        parts.append(head + "\n".join(rows))
    splits = {title: found for title, found in settings.results.items() if title != "stamp"}
    if splits:
        rows = [
            f"| {title} | {found['examples']} | {found['metric']} | {_share(found['dense']['score'])} "
            f"| {_share(found['pruned']['score'])} | {found['flops_reduction']:.2f}× |"
            for title, found in splits.items()
        ]
        head = "| rows | examples | score | dense | pruned | fewer FLOPs |\n|---|---:|---|---:|---:|---:|\n"
        parts.append(head + "\n".join(rows))
    return "\n\n".join(parts) or "Nothing yet."


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
