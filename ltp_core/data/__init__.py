"""Rows of a task or a file, their metrics, and a model run over them."""
