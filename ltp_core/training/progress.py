"""One line that says how a training stage is doing, on stderr."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

LINES = 20  # where stderr is a file, so many lines in all


class ProgressLine(TrainerCallback):
    """A bar with loss, tokens kept, FLOPs reduction and thresholds; plain lines where nobody watches.

    Args:
        label: the stage's name.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.console = Console(stderr=True, highlight=False)
        self.bar: Progress | None = None
        self.task = TaskID(0)
        self.printed = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show the bar."""
        if state.is_world_process_zero and self.console.is_terminal:
            figures = TextColumn("{task.fields[figures]}")
            columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
            self.bar = Progress(*columns, TimeRemainingColumn(), figures, console=self.console)
            self.task = self.bar.add_task(self.label, total=state.max_steps, figures="")
            self.bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move it on."""
        if self.bar is not None:
            self.bar.update(self.task, completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, **event: Any) -> None:
        """Show the figures."""
        text = describe(event["logs"])
        if self.bar is not None:
            self.bar.update(self.task, completed=state.global_step, figures=text)
        elif state.is_world_process_zero and LINES * state.global_step >= self.printed * state.max_steps:
            self.printed = LINES * state.global_step // state.max_steps + 1
            self.console.print(f"{self.label} {state.global_step}/{state.max_steps}  {text}", soft_wrap=True)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take the bar away."""
        self.stop()

    def stop(self) -> None:
        """Take the bar away, also when training failed."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def describe(logs: dict[str, Any]) -> str:
    """The figures of a log entry that people want to see: ``loss 0.312  kept 61 %  2.05× fewer FLOPs …``."""
    parts = []
    for name in ("loss", "train_loss"):
        if name in logs:
            parts.append(f"loss {float(logs[name]):.3f}")
    if "kept_per_layer" in logs:
        kept = logs["kept_per_layer"]
        parts.append(f"kept {sum(kept) / len(kept):.0%}")
    if "flops_reduction" in logs:
        parts.append(f"{logs['flops_reduction']:.2f}× fewer FLOPs")
    if "thresholds" in logs:
        parts.append("θ " + " ".join(f"{theta:.3g}" for theta in logs["thresholds"]))
    return "  ".join(parts)
