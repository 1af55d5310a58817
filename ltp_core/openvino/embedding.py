"""What comes before the first block: from a text's tokens to the rows that enter the first layer."""

import copy
from pathlib import Path
from typing import Any

import numpy as np

from ltp_core.openvino.blocks import names_of, piece_of, read_graph


class Embedding:
    """The piece of a graph before its first layer, compiled.

    Its length stays open: the table of words is larger than all layers, and each length would hold one.

    Args:
        file: the graph that `convert.write_graph` wrote.
        options: OpenVINO's.
    """

    def __init__(self, file: Path, options: dict[str, Any]) -> None:
        import openvino

        core = openvino.Core()
        self._compiled = core.compile_model(piece_of(read_graph(core, file), ["hidden.0"]), "CPU", options)
        self._request = self._compiled.create_infer_request()
        self._reads = names_of(self._request.model_inputs)

    def lane(self) -> "Embedding":
        """The same with memory of its own, for another thread."""
        other = copy.copy(self)
        other._request = self._compiled.create_infer_request()
        return other

    def __call__(
        self, input_ids: np.ndarray, token_type_ids: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        """What enters the first layer, valid until the next call.

        Args:
            input_ids: long ``[1, n]``, of one text, or of several one behind the other.
            token_type_ids: long ``[1, n]``.
            positions: long ``[n]``, of each token in its own text.

        Returns:
            ``[n, D]``.
        """
        known = {
            "input_ids": input_ids,
            "token_type_ids": token_type_ids,
            "positions": positions,
            "alive": np.ones(len(positions), dtype=np.float32),
        }
        asked = {name: known[name] for name in self._reads & known.keys()}
        self._request.infer(asked, share_inputs=True, share_outputs=True)
        embedded: np.ndarray = self._request.get_output_tensor().data
        return embedded
