"""The pruned model in OpenVINO: a chain of blocks of fixed lengths, in float32 or 8 bits."""

from ltp_core.openvino.model import OpenVinoModel, cached_openvino, export_openvino, graph_at

__all__ = ["OpenVinoModel", "cached_openvino", "export_openvino", "graph_at"]
