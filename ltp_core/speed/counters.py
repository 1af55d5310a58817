"""What OpenVINO ran of a pruned model: blocks, places, and the time in each kind of operation."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ltp_core.openvino import OpenVinoModel
from ltp_core.openvino.blocks import Block, Blocks
from ltp_core.rules import Rule
from ltp_core.speed.peers import Encoded


class _Counting(Blocks):
    """Notes each block that ran, with OpenVINO's own counters."""

    def __init__(self, blocks: Blocks) -> None:
        options = {key: value for key, value in blocks.options.items() if key != "CACHE_DIR"}
        super().__init__(blocks.file, lambda precision: {**options, "PERF_COUNT": True})
        self.ran: list[tuple[Block, Counter[str]]] = []

    def run(self, block: Block, inputs: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
        found = super().run(block, inputs, rows)
        kinds = Counter[str]()
        for node in self.ready(block).request.profiling_info:
            kinds[node.node_type] += node.real_time.total_seconds() * 1e6
        self.ran.append((block, kinds))
        return found


def counters(model: OpenVinoModel, rule: Rule, batches: Sequence[Encoded]) -> dict[str, Any]:
    """Run batches once more with OpenVINO's own counters, which cost time themselves.

    Args:
        model: what is looked into.
        rule: who stays.
        batches: padded batches of texts.

    Returns:
        Means over the texts: ``blocks``, how many ran; ``places``, of each layer those that its FFN computed,
        padding and what is hidden included, of the last [CLS] alone; ``microseconds``, by kind of operation,
        in the runtime alone.
    """
    blocks = _Counting(model.blocks)
    counted = model.through(blocks)
    places, microseconds = Counter[int](), Counter[str]()
    with torch.inference_mode():
        for batch in batches:
            counted(**batch, rule=rule, record=False)  # compiles what is new
        blocks.ran.clear()
        for batch in batches:
            counted(**batch, rule=rule, record=False)
    texts = sum(len(batch["input_ids"]) for batch in batches)
    for block, kinds in blocks.ran:
        microseconds.update(kinds)
        last = block.to == model.layers  # its FFN is in this block; of another, in the next
        for layer in range(block.after or 1, block.to + last):
            places[layer] += 1 if layer == model.layers else block.length
    return {
        "blocks": len(blocks.ran) / texts,
        "places": [places[layer] / texts for layer in range(1, model.layers + 1)],
        "microseconds": {kind: time / texts for kind, time in microseconds.most_common() if time},
    }
