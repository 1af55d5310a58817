"""The training loop: Hugging Face's Trainer, with checkpoints that can be trusted and a log to plot."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from ltp_core.training.job import Recipe
from ltp_core.training.processes import PATIENCE
from ltp_core.training.progress import ProgressLine
from ltp_core.training.sampling import EpochOrder, LikeLengths

METRICS_FILE = "metrics.jsonl"


class Loop(Trainer):
    """Trains a module whose forward returns a loss; steers its FLOPs budget if it has one.

    Args:
        module: a Hugging Face model, or a `PruningModule`.
        table: tokenized rows.
        tokenizer: pads them.
        recipe: how to train.
        folder: for checkpoints and `metrics.jsonl`.
        label: what the progress bar calls it.
    """

    def __init__(
        self,
        module: nn.Module,
        table: Dataset,
        tokenizer: Any,
        recipe: Recipe,
        folder: Path,
        label: str = "training",
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.kept: Tensor | None = None  # [1 + L], since the last log entry
        arguments = TrainingArguments(
            output_dir=str(folder / "checkpoints"),
            num_train_epochs=recipe.epochs,
            learning_rate=recipe.learning_rate,
            per_device_train_batch_size=recipe.batch_size,
            warmup_steps=recipe.warmup,
            weight_decay=recipe.weight_decay,
            seed=recipe.seed,
            bf16=recipe.bfloat16,
            use_cpu=next(module.parameters()).device.type == "cpu",
            save_steps=recipe.save_steps,
            save_total_limit=2,
            logging_steps=recipe.log_steps,
            report_to="none",
            disable_tqdm=True,
            ddp_timeout=int(PATIENCE.total_seconds()),
        )
        super().__init__(
            model=module,
            args=arguments,
            train_dataset=table,
            processing_class=tokenizer,
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        self.line = ProgressLine(label)
        self.remove_callback(PrinterCallback)  # prints each log entry as a dict
        self.add_callback(self.line)

    def run(self) -> None:
        """Train to the end, from the last complete checkpoint if there is one.

        Raises:
            ValueError: if the loss stops being a number; checkpoints stay.
        """
        with self.args.main_process_first():
            checkpoint = last_complete_checkpoint(self.folder / "checkpoints")
        if checkpoint and _is_the_end(checkpoint):
            self._load_from_checkpoint(checkpoint)
            return
        self._forget_after(int(checkpoint.rpartition("-")[2]) if checkpoint else 0)
        try:
            self.train(resume_from_checkpoint=checkpoint)
        finally:
            self.line.stop()

    def _forget_after(self, step: int) -> None:
        """Drop what an interrupted run logged after the step that is taken up again."""
        file = self.folder / METRICS_FILE
        if file.is_file() and self.is_world_process_zero():
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("}\n")]
            kept = [line for line in whole if json.loads(line)["step"] <= step]
            file.write_text("".join(kept), encoding="utf-8")

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int]:
        """Batches of like length in random order, instead of the Trainer's from long to short."""
        table: Any = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(ids) for ids in table["input_ids"]]
        sampler = LikeLengths(lengths, self.args.train_batch_size, self.args.seed)
        self.add_callback(EpochOrder(sampler))
        return sampler

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW in three groups: matrices, the rest without decay, thresholds with a rate of their own."""
        if self.optimizer is None:
            module: Any = self.model
            named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
            weights = [(n, p) for n, p in named if n != "thresholds"]
            groups: list[dict[str, Any]] = [
                {"params": [p for _, p in weights if p.dim() > 1], "weight_decay": self.args.weight_decay},
                {"params": [p for _, p in weights if p.dim() <= 1], "weight_decay": 0.0},
            ]
            thresholds = [p for n, p in named if n == "thresholds"]
            if thresholds:
                rate = module.pruning.threshold_rate
                groups.append({"params": thresholds, "weight_decay": 0.0, "lr": rate})
            self.optimizer = torch.optim.AdamW(groups, lr=self.args.learning_rate, fused=True)
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Run the batch; tell the budget what it cost, as the mean over all processes."""
        module: Any = self.accelerator.unwrap_model(model)
        done = self.state.global_step / self.state.max_steps
        if hasattr(module, "anneal"):
            module.anneal(done)
        outputs = model(**inputs)
        loss = outputs["loss"]
        if not torch.isfinite(loss):
            raise ValueError("the loss is no longer a number: lower the learning rate; checkpoints are kept")
        if "flops" in outputs:
            sums = torch.cat([outputs["flops"], outputs["kept"]])
            dense, pruned, *kept = self.accelerator.reduce(sums, reduction="mean")
            module.budget.update(dense, pruned, done)
            self.kept = torch.stack(kept) if self.kept is None else self.kept + torch.stack(kept)
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add thresholds, tokens and FLOPs to what the Trainer logs, and append it to the metrics file."""
        module = self.accelerator.unwrap_model(self.model)
        if hasattr(module, "budget"):
            logs = {**logs, **module.progress()}
        if self.kept is not None:
            shares: Any = (self.kept[1:] / self.kept[0]).tolist()
            logs = {**logs, "kept_per_layer": shares}
            self.kept = None
        super().log(logs, start_time)
        if self.is_world_process_zero():
            with (self.folder / METRICS_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.state.global_step, **logs}) + "\n")

    def _save_rng_state(self, output_dir: str) -> None:
        """Save it, and wait until all processes have: the file that ends a checkpoint comes after."""
        super()._save_rng_state(output_dir)
        self.accelerator.wait_for_everyone()


def _is_the_end(checkpoint: str) -> bool:
    state = json.loads((Path(checkpoint) / "trainer_state.json").read_text(encoding="utf-8"))
    return bool(state.get("global_step", 0) >= state.get("max_steps", math.inf))


def last_complete_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to its end; half-written ones are deleted.

    The Trainer writes `trainer_state.json` last, so a checkpoint that has it, readable, is whole.
    """
    while folder.is_dir() and (found := get_last_checkpoint(str(folder))):
        try:
            json.loads((Path(found) / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            shutil.rmtree(found)
        else:
            return str(found)
    return None
