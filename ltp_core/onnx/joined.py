"""Linear layers over the same rows as one product: query, key and value, where a family has them apart.

To start a product takes about as long as some rows do, and in 8 bits each reads and writes its rows once
more; few rows are left where tokens leave. PyTorch's engine does the same, see `side_by_side` in
`ltp_core.architectures.packed_weights`.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def join_products(file: Path) -> None:
    """Rewrite an ONNX graph so that products of the same rows with constant matrices are one, split after.

    Only what the exporter makes of an `nn.Linear` over ``[n, D]`` is joined: a `Gemm` with its weight as
    stored, ``[D_out, D_in]``, and a bias.
    """
    import onnx

    model = onnx.load(file)
    constants = {entry.name: entry for entry in model.graph.initializer}
    alike = defaultdict(list)
    for node in model.graph.node:
        if _is_linear(node, constants):
            alike[node.input[0]].append(node)
    first = {nodes[0].output[0]: nodes for nodes in alike.values() if len(nodes) > 1}
    others = {node.output[0] for nodes in first.values() for node in nodes[1:]}
    written: list[Any] = []
    for node in model.graph.node:
        name = node.output[0]
        if name in first:
            written += _joined(model.graph, first[name], constants)
        elif name not in others:
            written.append(node)
    del model.graph.node[:]
    model.graph.node.extend(written)
    read = {name for node in written for name in node.input}
    wanted = [entry for entry in model.graph.initializer if entry.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(wanted)
    onnx.save(model, file)


def _is_linear(node: Any, constants: dict[str, Any]) -> bool:
    """Whether a node is a linear layer as the exporter writes it."""
    settings = {each.name: each.i if each.type == each.INT else each.f for each in node.attribute}
    plain = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, **settings}
    return (
        node.op_type == "Gemm"
        and len(node.input) == 3
        and all(name in constants for name in node.input[1:])
        and plain == {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}
    )


def _joined(graph: Any, nodes: Sequence[Any], constants: dict[str, Any]) -> tuple[Any, Any]:
    """One product and its parts, under the names that the nodes gave them; weights go into the graph.

    They are called after those that they are made of, so layers that share weights (ALBERT's) still do.
    """
    from onnx import helper, numpy_helper

    weights, biases = ([numpy_helper.to_array(constants[node.input[i]]) for node in nodes] for i in (1, 2))
    rows, whole = nodes[0].input[0], f"{nodes[0].output[0]}_joined"
    made_of = "+".join(node.input[1] for node in nodes)
    held = {
        f"{made_of}.weight": np.concatenate(weights),
        f"{made_of}.bias": np.concatenate(biases),
        f"{made_of}.parts": np.array([len(weight) for weight in weights], np.int64),
    }
    there = {entry.name for entry in graph.initializer}
    new = {name: values for name, values in held.items() if name not in there}
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in new.items())
    weight, bias, parts = held
    return (
        helper.make_node("Gemm", [rows, weight, bias], [whole], transB=1),
        helper.make_node("Split", [whole, parts], [node.output[0] for node in nodes], axis=1),
    )
