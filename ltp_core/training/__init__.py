"""Training: data, stages, the FLOPs budget, metrics."""
