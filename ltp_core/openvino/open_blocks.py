"""The blocks of several texts in one row: compiled once each, for any size."""

from typing import Any

import numpy as np

from ltp_core.openvino.blocks import Block, Blocks, names_of


class OpenBlocks(Blocks):
    """Blocks of several texts, whose three sizes stay open: all that occur, each compiled, would fill memory.

    OpenVINO prepares for sizes when it first meets them, and remembers them: `packed.seating` has few.
    """

    def run(self, block: Block, inputs: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
        """Run a block over some rows of its inputs.

        Args:
            block: which.
            inputs: ``hidden`` ``[n, D]``, ``positions`` ``[n]`` and ``cutoffs`` ``[n, L]``, whose rows are
                taken; and ``seats`` ``[P]`` and ``seated`` ``[T, S]`` of these rows.
            rows: long ``[m]``, m at most P.

        Returns:
            As above.
        """
        request, count, places = self._request(block), len(rows), len(inputs["seats"])
        given = {"seats": inputs["seats"], "seated": inputs["seated"]}
        for name in ("hidden", "positions", "cutoffs"):
            source = inputs[name]
            given[name] = np.zeros((places, *source.shape[1:]), dtype=source.dtype)
            np.take(source, rows, axis=0, out=given[name][:count], mode="clip")
        given["alive"] = (np.arange(places) < count).astype(np.float32)
        request.infer({name: given[name] for name in names_of(request.model_inputs) & given.keys()})
        return {name: request.get_tensor(name).data for name in block.outputs(self.layers)}

    def _request(self, block: Block) -> Any:
        with self._compiling:
            if block not in self._models:
                self._models[block] = self._compiled(block).create_infer_request()
            return self._models[block]
