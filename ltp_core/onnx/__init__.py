"""The pruned model as an ONNX graph."""
