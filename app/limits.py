"""Limits that are both enforced and said on a page."""

MAX_CHARACTERS = 100_000  # in one text; the model reads the first few hundred tokens of it
MOST_RUNS = 4  # texts that run at once; more only slow each other down
