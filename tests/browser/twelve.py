"""A model of twelve layers to draw: its weights are random and what it answers means nothing. Never shipped.

python -m tests.browser.twelve /tmp/twelve      # then LTP_LAB_MODELS=/tmp/twelve make app
"""

import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from ltp_core import PrunedModel, Thresholds

LAYERS = 12
SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."


def write(folder: Path) -> None:
    """Save it, with the words of sst2, and lines under which one or two of `SENTENCE` leave in each layer."""
    tokenizer = PrunedModel.from_pretrained("sst2").tokenizer
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        intermediate_size=80,
        max_position_embeddings=512,
        initializer_range=0.2,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )
    tuned = BertForSequenceClassification(config).eval()
    lines = [0.0] * LAYERS
    for layer in range(LAYERS):
        trace = PrunedModel(tuned, tokenizer).predict(SENTENCE, Thresholds(lines)).trace
        left = sorted(share for share in trace.layers[layer].importance[1:] if share is not None)
        lines[layer] = left[1 + layer % 2] * 0.999  # one or two are below
    PrunedModel(tuned, tokenizer, tuple(lines)).save_pretrained(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
