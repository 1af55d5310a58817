"""Tiny models of every family, and the reference that they are held against.

Hugging Face's model runs here by itself. Hooks give each of its layers the mask that a rule asks for, and
read the attention that the rule looks at; they know nothing of our views.
"""

import functools

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.rules import LengthConfig, RandomKeep, TopK

VOCABULARY, LONGEST, LAYERS = 70, 40, 3
WINDOW = 4  # of ModernBERT's local layers: a token sees four to each side

BERT_SIZE = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": LAYERS,
    "intermediate_size": 48,
}
ROBERTA = {**BERT_SIZE, "pad_token_id": 1, "max_position_embeddings": LONGEST + 2}
MODERN = {
    **BERT_SIZE,
    **{"local_attention": 2 * WINDOW, "norm_bias": True, "attention_bias": True, "mlp_bias": True},
    **{"pad_token_id": 0, "bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3},
}
GLOBAL, LOCAL = "full_attention", "sliding_attention"
DISTANCES = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm"}
MODELS = {
    "bert": ("bert", BERT_SIZE),
    "roberta": ("roberta", {**ROBERTA, "type_vocab_size": 1}),
    "xlm-roberta": ("xlm-roberta", {**ROBERTA, "type_vocab_size": 1}),
    "camembert": ("camembert", {**ROBERTA, "type_vocab_size": 2}),
    "electra": ("electra", {**BERT_SIZE, "embedding_size": 20}),
    "distilbert": ("distilbert", {"dim": 32, "n_heads": 4, "n_layers": LAYERS, "hidden_dim": 48}),
    "mpnet": ("mpnet", ROBERTA),
    "modernbert": ("modernbert", {**MODERN, "layer_types": [GLOBAL, LOCAL, GLOBAL]}),
    "modernbert-mean": (
        "modernbert",
        {**MODERN, "layer_types": [LOCAL, GLOBAL, LOCAL], "classifier_pooling": "mean"},
    ),
    # As the published models are: v3, and v2 with its convolution; then with what the config also knows.
    "deberta-v3": (
        "deberta-v2",
        {
            **BERT_SIZE,
            **DISTANCES,
            "position_buckets": 8,
            "share_att_key": True,
            "position_biased_input": False,
        },
    ),
    "deberta-v2": (
        "deberta-v2",
        {**BERT_SIZE, **DISTANCES, "position_buckets": 8, "share_att_key": True, "conv_kernel_size": 3},
    ),
    "deberta-own-keys": (
        "deberta-v2",
        {**BERT_SIZE, **DISTANCES, "max_relative_positions": 6, "type_vocab_size": 2, "embedding_size": 20},
    ),
    "deberta-keys-answer": ("deberta-v2", {**BERT_SIZE, **DISTANCES, "pos_att_type": ["p2c"]}),
    "deberta-no-distances": ("deberta-v2", {**BERT_SIZE, "pos_att_type": ["c2p"]}),
    "albert": ("albert", {**BERT_SIZE, "embedding_size": 20}),
    "albert-groups": (
        "albert",
        {**BERT_SIZE, "embedding_size": 32, "num_hidden_groups": 2, "hidden_act": "relu"},
    ),
}
SEGMENTS = {
    "bert",
    "camembert",
    "electra",
    "deberta-own-keys",
    "albert",
    "albert-groups",
}  # those above that have two kinds

RISING = Thresholds([0.045, 0.06, 0.1])
RULES = {
    "dense": Dense(),
    "rising": RISING,
    "some_zero": Thresholds([0.0, 0.06, 0.0]),
    "reference": Thresholds([0.045, 0.06, 0.1], reference_length=12),
    "mean_relative": Thresholds([0.6, 0.7, 0.8], reference_length=1),
    "cls_only": Thresholds([1.0, 1.0, 1.0]),
    "topk": TopK([0.8, 0.6, 0.5]),
    "lengths": LengthConfig([0.7, 0.5, 0.3]),
    "random": RandomKeep(RISING, seed=3),
}


def make(name, **options):
    """A tiny random Hugging Face model whose attention is far from uniform."""
    family, sizes = MODELS[name]
    torch.manual_seed(0)
    defaults = {"vocab_size": VOCABULARY, "max_position_embeddings": LONGEST, "initializer_range": 0.3}
    options = {"num_labels": 3, "attn_implementation": "eager", **defaults, **sizes, **options}
    config = AutoConfig.for_model(family, **options)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn_like(parameter)
    return model


wrapped = functools.cache(lambda name: PrunedModel.wrap(make(name)))


def batch_of(name, lengths, side="right", segments=False):
    pad = MODELS[name][1].get("pad_token_id", 0)
    longest = max(lengths)
    rows = [[1] * n + [0] * (longest - n) for n in lengths]
    mask = torch.tensor([row[::-1] for row in rows] if side == "left" else rows)
    ids = torch.randint(5, VOCABULARY, mask.shape, generator=torch.Generator().manual_seed(5))
    batch = {"input_ids": torch.where(mask.bool(), ids, pad), "attention_mask": mask}
    if segments:
        batch["token_type_ids"] = (torch.arange(longest) >= 4).long() * mask
    return batch


def batches(name):
    found = [batch_of(name, lengths) for lengths in ([23], [1], [9, 4, 15], [LONGEST, LONGEST])]
    return found + [batch_of(name, [7, 12], segments=True)] * (name in SEGMENTS)


def asking(alive, queries):
    """Which of the alive are asked, by plain Python: ``floor(i (n - 1) / (K - 1))`` for i = 0 … K - 1."""
    rows = []
    for row in alive.tolist():
        places = [place for place, is_alive in enumerate(row) if is_alive]
        if len(places) > queries:
            places = [places[i * (len(places) - 1) // (queries - 1)] for i in range(queries)]
        rows.append([float(place in places) for place in range(len(row))])
    return torch.tensor(rows)


def hugging_face(hf, rule, input_ids, attention_mask, token_type_ids=None, queries=LONGEST):
    """Hugging Face's forward, in which tokens leave as the rule says: logits, masks and importance."""
    layers, attentions = modules_of(hf)
    columns = torch.arange(input_ids.shape[1])
    state = {"alive": attention_mask.bool(), "carry": None, "masks": [], "importance": []}

    def give_mask(layer, args, kwargs):
        visible = state["alive"][:, None, None, :]  # [B, 1, 1, n]
        if getattr(layer, "attention_type", None) == LOCAL:
            visible = visible & ((columns[:, None] - columns).abs() <= WINDOW)
        additive = torch.where(visible, 0.0, torch.finfo(torch.float32).min)
        mask = visible if hf.config.model_type == "deberta-v2" else additive
        mask = mask.expand(-1, -1, len(columns), -1)  # [B, 1, n, n]
        if "attention_mask" in kwargs:
            return args, {**kwargs, "attention_mask": mask}
        return (args[0], mask, *args[2:]), kwargs

    def read_attention(attention):  # [B, H, n, n]
        number = len(state["masks"]) + 1  # layers may share a module
        weights = asking(state["alive"], queries)
        received = torch.einsum("bhij,bi->bj", attention, weights) / attention.shape[1]
        importance = received / weights.sum(-1, keepdim=True) * state["alive"]
        kept, state["carry"] = rule.keep(importance, state["alive"], number, state["carry"])
        state["alive"] = state["alive"] & (kept | (columns == 0))
        state["masks"].append(state["alive"])
        state["importance"].append(importance)

    handles = []
    for layer, (attention, is_dropout) in zip(layers, attentions, strict=True):
        handles.append(layer.register_forward_pre_hook(give_mask, with_kwargs=True))
        handles.append(
            attention.register_forward_hook(
                lambda module, args, out, is_dropout=is_dropout: read_attention(
                    args[0] if is_dropout else out[1]
                )
            )
        )
    if getattr(hf.config, "classifier_pooling", None) == "mean":  # it averages what it takes for all tokens

        def average(module, args):
            weights = state["alive"].float()
            return torch.einsum("bnd,bn->bd", state["last"], weights) / weights.sum(-1, keepdim=True)

        handles.append(hf.model.final_norm.register_forward_hook(lambda m, a, out: state.update(last=out)))
        handles.append(hf.head.register_forward_pre_hook(average))
    segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
    logits = hf(input_ids=input_ids, attention_mask=attention_mask, **segments).logits
    for handle in handles:
        handle.remove()
    return logits, state["masks"], state["importance"]


def modules_of(hf):
    """Hugging Face's layers, and in each the module that returns its attention, or drops some of it out."""
    if hf.config.model_type == "modernbert":
        return hf.model.layers, [(layer.attn, False) for layer in hf.model.layers]
    if hf.config.model_type == "distilbert":
        layers = hf.distilbert.transformer.layer
        return layers, [(layer.attention, False) for layer in layers]
    if hf.config.model_type == "albert":  # as often as they are there, not as they run
        layers = [layer for group in hf.albert.encoder.albert_layer_groups for layer in group.albert_layers]
        return layers, [(layer.attention, False) for layer in layers]
    layers = hf.base_model.encoder.layer
    if hf.config.model_type == "deberta-v2":
        return layers, [(layer.attention.self.dropout, True) for layer in layers]
    if hf.config.model_type == "mpnet":
        return layers, [(layer.attention.attn.dropout, True) for layer in layers]
    return layers, [(layer.attention.self, False) for layer in layers]
