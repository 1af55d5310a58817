"""Models for elsewhere: the pruned one as an ONNX graph, the dense one as a plain Hugging Face folder."""

import copy
import importlib
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltp_core import checkpoints
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import own_sentences
from ltp_core.onnx.classifier import Known
from ltp_core.onnx.converted import converted
from ltp_core.onnx.graph import INPUTS, OUTPUTS, PrunedGraph
from ltp_core.onnx.int8 import quantize
from ltp_core.onnx.joined import join_products
from ltp_core.onnx.model import GRAPH_FILE, OnnxModel
from ltp_core.prediction import TextClassifier, TorchClassifier
from ltp_core.weights.pretrained import load_classifier, save_tokenizer

OPSET = 20
CHECKED = 100  # real inputs that an exported model is compared on
LEAST_AGREEMENT = 0.9  # of the labels in 8 bits with those of the engine


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        output: the ONNX file, or the folder.
        max_abs_difference: the largest difference of a logit to the engine's (ONNX) or to Hugging Face's
            own forward (transformers), over `inputs` real inputs.
        inputs: how many were compared.
        different_counts: for how many the tokens left differ in some layer, which happens where
            rounding puts a token on the other side of its threshold.
        label_agreement: share of the inputs with the same label; None for a regression.
        scores: on labelled rows, the metric's name, and the score of the engine and of what was written.
    """

    output: Path
    max_abs_difference: float
    inputs: int
    different_counts: int = 0
    label_agreement: float | None = None
    scores: dict[str, Any] | None = None


def export_onnx(
    model: TorchClassifier, path: str | Path, precision: str = "float32", checked: Rows | None = None
) -> Exported:
    """Write the pruned model as an ONNX graph and compare it with the engine on real inputs.

    Args:
        model: what to export, with its tokenizer.
        path: a file that ends in ``.onnx``; or else a folder, new or empty, which gets the graph with
            tokenizer, config and thresholds, so that
            ``PrunedModel.from_pretrained(path, backend="onnxruntime")`` needs nothing else.
        precision: "float32", or "int8" for linear layers in 8 bits.
        checked: rows that both are compared on and scored; None for sentences of ours.

    Raises:
        ValueError: if a package is missing, the path is taken, or the model cannot be exported.
    """
    require("onnx", "onnxscript", "onnxruntime")
    target = Path(path)
    alone = target.suffix == ".onnx"
    with new_place(target, as_file=alone) as draft:
        graph = draft if alone else draft / GRAPH_FILE
        _write(model, graph, precision)
        if not alone:
            write_beside(model, draft)
        found = compare(model, _open(model, graph), precision, checked)
    return Exported(target if alone else target / GRAPH_FILE, **found)


def export_transformers(model: TorchClassifier, path: str | Path) -> Exported:
    """Write the dense model as a plain folder for `AutoModelForSequenceClassification`, and compare it.

    Args:
        model: what to export, with its tokenizer.
        path: a folder, new or empty.

    Raises:
        ValueError: if the path is taken or cannot be written.
    """
    with new_place(Path(path), as_file=False) as draft:
        hf_model = plain(model.hf_model)
        hf_model.save_pretrained(draft)
        if model.tokenizer is not None:
            save_tokenizer(model.tokenizer, draft)
        loaded = load_classifier(draft, dtype=hf_model.dtype).eval()
        difference = 0.0
        with torch.inference_mode():
            for batch in _real_inputs(model):
                expected = model.hf_model(**batch).logits.cpu()
                found = loaded(**{name: values.cpu() for name, values in batch.items()}).logits
                difference = max(difference, float((found - expected).abs().max()))
    return Exported(Path(path), difference, CHECKED)


def to_onnx(model: TorchClassifier, threads: int | None = None, precision: str = "float32") -> OnnxModel:
    """Export a model and open it in ONNX Runtime, without leaving files."""
    require("onnx", "onnxscript", "onnxruntime")
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / GRAPH_FILE
        _write(model, graph, precision)
        return _open(model, graph, threads)


def cached_onnx(model: TorchClassifier, precision: str = "float32") -> OnnxModel:
    """The same with the graph kept in the project's cache, so that the next call takes no time."""
    packages = ("onnx", "onnxscript", "onnxruntime")
    require(*packages)
    folder = converted(
        model,
        "onnxruntime",
        precision,
        ("torch", "transformers", *packages),
        lambda draft: _write(model, draft / GRAPH_FILE, precision),
    )
    return _open(model, folder / GRAPH_FILE)


def _open(model: TorchClassifier, graph: Path, threads: int | None = None) -> OnnxModel:
    return OnnxModel(graph, Known.of(model), threads)


def _write(model: TorchClassifier, graph: Path, precision: str) -> None:
    write_graph(model, graph)
    join_products(graph)
    if precision == "int8":
        quantize(graph)


def write_beside(model: TorchClassifier, folder: Path) -> None:
    """Write what a graph needs beside it to read texts: tokenizer, config and thresholds."""
    model.config.save_pretrained(folder)
    if model.tokenizer is not None:
        save_tokenizer(model.tokenizer, folder)
    if model.thresholds is not None:
        checkpoints.save_thresholds(folder, model.thresholds)
    replace(model.settings, base=None, files={}, results={}).write(folder)


def write_graph(model: TorchClassifier, file: Path) -> None:
    """Write the pruned model's ONNX graph; how thresholds are read is in its metadata, too."""
    hf_model = plain(model.hf_model)
    ids = torch.arange(8).remainder(model.config.vocab_size).unsqueeze(0)  # [1, 8], only its shape counts
    length = {1: torch.export.Dim("length", min=2, max=model.max_tokens)}
    program = exported_program(
        PrunedGraph(hf_model, model.reference_length, model.queries()).eval(),
        (ids, torch.ones_like(ids), torch.zeros_like(ids), torch.zeros(model.layers)),
        (length, length, length, None),
        INPUTS,
        OUTPUTS,
    )
    facts = {
        "name": model.name,
        "labels": model.config.id2label,
        "thresholds": model.thresholds,
        "reference_length": model.reference_length,
        "importance_queries": model.queries(),
        "layers": model.layers,
    }
    program.model.metadata_props.update({f"ltp.{key}": json.dumps(value) for key, value in facts.items()})
    program.save(str(file))


def write_dense_graph(model: TorchClassifier, file: Path) -> None:
    """Write Hugging Face's own forward as an ONNX graph with dynamic batch and length: the peer.

    Its eager attention: onnxruntime runs it a little faster than what `sdpa` becomes (docs/onnx.md).
    """
    require("onnx", "onnxscript")
    hf_model = copy.deepcopy(plain(model.hf_model))
    hf_model.set_attn_implementation("eager")
    names = dense_inputs(model)
    ids = torch.arange(16).remainder(model.config.vocab_size).view(2, 8)  # [2, 8]
    examples = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": torch.zeros_like(ids),
    }
    shape = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("length", min=2, max=model.max_tokens)}
    program = exported_program(
        _LogitsOnly(hf_model, names).eval(),
        tuple(examples[name] for name in names),
        (tuple(shape for _ in names),),  # one for *tensors
        names,
        ("logits",),
    )
    program.save(str(file))


def dense_inputs(model: TorchClassifier) -> tuple[str, ...]:
    """The inputs that the family's own forward takes."""
    has_segments = getattr(model.config, "type_vocab_size", 0) > 1
    return ("input_ids", "attention_mask", *(("token_type_ids",) if has_segments else ()))


class _LogitsOnly(nn.Module):
    def __init__(self, hf_model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.names = tuple(names)

    def forward(self, *tensors: Tensor) -> Tensor:
        logits: Tensor = self.hf_model(**dict(zip(self.names, tensors, strict=True))).logits
        return logits


def exported_program(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    shapes: Any,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> Any:
    """Trace a module into an ONNX program with dynamic shapes."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it tells of operators of packages that are not installed
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                module,
                examples,
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=shapes,
            )
    except Exception as error:  # the exporter raises many kinds
        reason = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"this model cannot be exported to ONNX: {reason[0]}") from error
    finally:
        log.setLevel(level)


def require(*packages: str, install: str = "onnx onnxscript onnxruntime") -> None:
    """See that packages of an extra are here.

    Raises:
        ValueError: in one line, with what pip is to install.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError:
            raise ValueError(f"the package {package} is missing: pip install {install}") from None


def plain(hf_model: Any) -> Any:
    """The model on the CPU in float32 with adapters merged: itself if it is that already, else a copy."""
    has_adapters = hasattr(hf_model, "merge_and_unload")
    dtypes = {parameter.dtype for parameter in hf_model.parameters()}
    devices = {parameter.device.type for parameter in hf_model.parameters()}
    if not has_adapters and dtypes == {torch.float32} and devices == {"cpu"}:
        return hf_model
    copied = copy.deepcopy(hf_model).to("cpu", torch.float32).eval()
    return copied.merge_and_unload() if has_adapters else copied


def compare(
    model: TorchClassifier, exported: TextClassifier, precision: str, checked: Rows | None = None
) -> dict[str, Any]:
    """Hold what was exported against the engine, text by text: the fields of `Exported` but its place.

    Args:
        model: the engine.
        exported: the other.
        precision: in 8 bits, most labels have to be the same.
        checked: rows to compare on; None for `CHECKED` texts of ours.

    Raises:
        ValueError: if 8 bits change more labels than `LEAST_AGREEMENT` allows: such a file is not handed out.
    """
    rule = model.learned_rule
    texts = list(islice(real_texts(), CHECKED)) if checked is None else checked.texts
    logits: list[list[Tensor]] = [[], []]
    counts = 0
    with torch.inference_mode():
        for text in texts:
            batch = model.encode([text])[0]
            expected, found = model(**batch, rule=rule), exported(**batch, rule=rule)
            logits[0].append(expected.logits.cpu())
            logits[1].append(found.logits)
            counts += not torch.equal(found.alive, expected.alive.cpu())
    ours, theirs = (torch.cat(one) for one in logits)  # [rows, C]
    pairs = zip(ours.tolist(), theirs.tolist(), strict=True)
    equal = [model.answer(one).label == model.answer(other).label for one, other in pairs]
    same = None if ours.shape[1] == 1 else sum(equal) / len(equal)  # a regression has no label
    if precision == "int8" and same is not None and same < LEAST_AGREEMENT:
        raise ValueError(f"in 8 bits only {same:.1%} of {len(texts)} labels stay the same: not written")
    return {
        "max_abs_difference": float((theirs - ours).abs().max()),
        "inputs": len(texts),
        "different_counts": counts,
        "label_agreement": same,
        "scores": None if checked is None else _scored(model, checked, ours, theirs),
    }


def _scored(model: TorchClassifier, rows: Rows, ours: Tensor, theirs: Tensor) -> dict[str, Any]:
    metric = metric_of(model.settings.task, model.dimensions.classes)
    engine, written = (scores(metric, one.double().numpy(), rows.labels)[metric] for one in (ours, theirs))
    return {"metric": metric, "engine": engine, "exported": written}


def _real_inputs(model: TorchClassifier) -> Iterator[Any]:
    """Encode our own sentences, alone and several joined, one batch of one text each."""
    for text in islice(real_texts(), CHECKED):
        yield model.encode([text])[0]


def real_texts() -> Iterator[str]:
    """Our own sentences, then two of them joined, then three, and so on."""
    sentences = own_sentences()
    for joined in range(1, len(sentences)):
        for start in range(0, len(sentences) - joined + 1):
            yield " ".join(sentences[start : start + joined])


@contextmanager
def new_place(target: Path, as_file: bool) -> Iterator[Path]:
    """Give a draft beside the target, which takes its place when all went well; else nothing is left.

    Raises:
        ValueError: if there is something in the way, which is never overwritten.
    """
    if target.is_dir():
        if as_file or any(target.iterdir()):
            raise ValueError(
                f"{target} is a folder that is not empty" if not as_file else f"{target} is a folder"
            )
    elif target.exists():
        raise ValueError(f"{target} exists already")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ValueError(f"cannot write {target}: {error.strerror}") from None
    try:
        draft = workshop / target.name
        if not as_file:
            draft.mkdir()
        yield draft
        for made in workshop.iterdir():  # a graph of over 2 GB has its weights in a second file
            made.replace(target.parent / made.name)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
