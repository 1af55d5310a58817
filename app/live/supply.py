"""What browsers are given: models in half precision, embedded texts; and answers, for those without a model.

Everything here can be asked by anybody who sees the lab, so it is bounded: bodies in bytes, texts in
characters, runs in how many go at once. Only models that all visitors share are read.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from app.limits import MAX_CHARACTERS
from app.live.runtime import web_runtime
from app.live.store import Store
from app.serving.answering import Refused

CODE = Path(__file__).parent
SCRIPTS = frozenset(file.name for file in CODE.glob("*.js"))
MOST_AT_ONCE = 2  # answers for browsers that cannot; who comes meanwhile keeps the preview


def code_version() -> str:
    """A digest of the worker's code: what its address changes with."""
    digest = hashlib.sha256()
    for name in sorted(SCRIPTS):
        digest.update((CODE / name).read_bytes())
    return digest.hexdigest()[:16]


def why_not(model: Any) -> str | None:
    """Why no visitor's browser can be given this model; None if one that runs WebAssembly can."""
    from ltp_core.onnx.browser import graph_of, too_large

    if web_runtime() is None:
        return "the lab was set up without npm"
    if graph_of(model) is not None:
        return None
    return (
        "this model is too large for a browser"
        if too_large(model)
        else "no graph of this kind of model ships"
    )


class Supply:
    """Makes what is asked for, each model's files once.

    Args:
        store: where the files are kept.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._made: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
        self._answering = threading.BoundedSemaphore(MOST_AT_ONCE)

    def model(self, name: str) -> dict[str, Any]:
        """What a browser needs to know of a model; makes its files if they are not there. One call at a time.

        Returns:
            ``layers``, ``classes`` (names; None for a regression), ``reference_length``, and ``files``: names
            in the store, with the ``bytes`` that they have, unpacked; or None, with the reason in ``why``.
        """
        model = _load(name)
        facts = self._made.get(model)
        if facts is None or (facts["files"] and not all(map(self.store.get, facts["files"].values()))):
            facts = self._make(model)
            self._made[model] = facts
        return facts

    def _make(self, model: Any) -> dict[str, Any]:
        from app import models
        from ltp_core.onnx.browser import graph_of, weights_of

        names = models.classes(model)
        facts: dict[str, Any] = {
            "layers": model.layers,
            "classes": list(names) or None,
            "reference_length": model.reference_length,
            "files": None,
        }
        if why := why_not(model):
            return {**facts, "why": why}
        runtime, graph = web_runtime(), graph_of(model)
        assert runtime is not None and graph is not None
        parts = {
            "module": (runtime.module.read_bytes(), "mjs"),
            "wasm": (runtime.wasm.read_bytes(), "wasm"),
            "graph": (graph.file.read_bytes(), "onnx"),
            "weights": (weights_of(model, graph).tobytes(), "f16"),
        }
        try:
            files = {part: self.store.put(*content) for part, content in parts.items()}
        except OSError as error:
            return {**facts, "why": f"the lab cannot write its cache folder ({error.strerror})"}
        return {**facts, "files": files, "bytes": sum(len(content) for content, _ in parts.values())}

    def embedded(self, asked: dict[str, Any]) -> np.ndarray:
        """A text as the graph's input, float32 ``[n, D]``; `asked` has `model`, `text`, `pair`."""
        from ltp_core.onnx.browser import embed

        model, texts = _load(asked.get("model")), _texts(asked)
        with _one_line():
            return embed(model, texts.for_model)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Run the model here, for a browser that cannot; `asked` has `thresholds`, too."""
        from app import runs

        model, texts = _load(asked.get("model")), _texts(asked)
        thresholds = asked.get("thresholds")
        if not isinstance(thresholds, list) or len(thresholds) != model.layers:
            raise Refused(400, f"this model needs {model.layers} thresholds")
        if not all(type(theta) in (int, float) and 0 <= theta <= 1 for theta in thresholds):
            raise Refused(400, "thresholds are shares between 0 and 1")
        if not self._answering.acquire(blocking=False):
            raise Refused(503, "others are being answered")
        try:
            with _one_line():
                found = runs.predict(model, texts, tuple(map(float, thresholds)))
        finally:
            self._answering.release()
        layers = found.trace.layers
        return {
            "probabilities": list(found.probabilities.values()) or None,
            "value": found.value,
            "kept": [list(layer.kept) for layer in layers],
            "importance": [list(layer.importance) for layer in layers],
        }


def _load(name: Any) -> Any:
    """A model that all visitors share, on the lab's preferred device."""
    from app import models

    source = models.shared().get(name) if isinstance(name, str) else None
    if source is None:
        raise Refused(404, "there is no such model")
    with _one_line():
        return models.load(source, models.devices()[-1])


def _texts(asked: dict[str, Any]) -> Any:
    from app.runs import Texts

    text, pair = asked.get("text"), asked.get("pair")
    if not isinstance(text, str) or not isinstance(pair, str | None):
        raise Refused(400, "a text is a string")
    if max(len(text), len(pair or "")) > MAX_CHARACTERS:
        raise Refused(413, f"the lab takes {MAX_CHARACTERS:,} characters")
    return Texts(text, pair)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise Refused(400, str(error)) from None
