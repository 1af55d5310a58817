"""What a forward pass takes, and what it returns before that becomes numbers, masked or in the engine."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Inputs:
    """A padded batch, as a tokenizer returns it.

    Attributes:
        input_ids: long ``[B, n]``; None when `inputs_embeds` is given.
        attention_mask: ``[B, n]``, 1 for real tokens, on either side of the padding.
        token_type_ids: long ``[B, n]`` or None for zeros.
        inputs_embeds: word embeddings ``[B, n, E]`` instead of ids.
    """

    input_ids: Tensor | None
    attention_mask: Tensor
    token_type_ids: Tensor | None = None
    inputs_embeds: Tensor | None = None

    def rows(self, start: int, end: int) -> "Inputs":
        """The inputs from row `start` up to, not including, row `end`."""
        ids, types, embeds = (
            None if value is None else value[start:end]
            for value in (self.input_ids, self.token_type_ids, self.inputs_embeds)
        )
        return Inputs(ids, self.attention_mask[start:end], types, embeds)

    def packed(self, place: Tensor) -> "Inputs":
        """The tokens at some places ``[T]`` of the flat grid, behind one another in a single row."""
        ids, mask, types, embeds = (
            None if value is None else value.flatten(0, 1).index_select(0, place).unsqueeze(0)
            for value in (self.input_ids, self.attention_mask, self.token_type_ids, self.inputs_embeds)
        )
        assert mask is not None
        return Inputs(ids, mask, types, embeds)


@dataclass(frozen=True)
class Run:
    """The outcome of one forward pass over L layers.

    Attributes:
        logits: ``[B, C]``.
        masks: L tensors ``[B, n]``: the tokens left after each layer (bool; float in soft runs).
        importance: L tensors ``[B, n]``: share of attention received, 0 where the token was gone;
            None for a layer that did not need it.
        attention: of one asked-for layer, one ``[H, n_b, n_b]`` for each row of the batch, over the
            n_b tokens alive in that layer; None when not asked for.
        hidden: L tensors ``[B, n, D]``, what each layer put out; empty where nothing is padded.
    """

    logits: Tensor
    masks: tuple[Tensor, ...]
    importance: tuple[Tensor | None, ...]
    attention: tuple[Tensor, ...] | None = None
    hidden: tuple[Tensor, ...] = ()
