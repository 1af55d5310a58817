"""Inputs to measure on: of exactly the asked-for number of tokens, and all different."""

import pytest
from transformers import AutoTokenizer

from ltp_core.bases import base_folder
from ltp_core.data.sentences import batches, inputs_of_length, own_sentences, ragged_inputs
from tests.some import some


@pytest.fixture(scope="module")
def bert_tokenizer():
    return AutoTokenizer.from_pretrained(base_folder())


def test_our_sentences_are_real_and_all_different():
    sentences = own_sentences()
    assert len(sentences) >= 16
    assert len(set(sentences)) == len(sentences)
    assert all(len(sentence.split()) >= 4 for sentence in some(sentences))


@pytest.mark.parametrize("length", [3, 4, 32, 128, 512])
def test_exact_lengths(bert_tokenizer, length):
    texts = inputs_of_length(bert_tokenizer, own_sentences(), length, 8)
    assert [len(bert_tokenizer(text)["input_ids"]) for text in texts] == [length] * 8
    assert len(set(texts)) > 1


@pytest.mark.parametrize("length", [3, 5, 9])
def test_words_that_are_cut_inside(tokenizer, length):
    texts = inputs_of_length(tokenizer, ["good xyz", " ", "éa film 😀 of"], length, 6)
    assert [len(tokenizer(text)["input_ids"]) for text in texts] == [length] * 6


def test_no_room_and_no_text(tokenizer):
    with pytest.raises(ValueError, match="length of 2 tokens leaves no room"):
        inputs_of_length(tokenizer, ["good"], 2, 1)
    with pytest.raises(ValueError, match="no text"):
        inputs_of_length(tokenizer, [" ", ""], 8, 1)
    with pytest.raises(ValueError, match="no text"):
        inputs_of_length(tokenizer, [], 8, 1)


def test_batches():
    assert batches(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"]]
    assert batches(["a"], 2) == []


def test_ragged_inputs_have_a_quarter_of_the_length_up_to_the_length(tokenizer):
    texts = ragged_inputs(tokenizer, ["a good film and a very bad plot"], 24, 40)
    lengths = [len(tokenizer(text)["input_ids"]) for text in texts]
    assert 6 <= min(lengths) < 12 and 18 < max(lengths) <= 24
    assert texts == ragged_inputs(tokenizer, ["a good film and a very bad plot"], 24, 40)
    with pytest.raises(ValueError, match="no texts of up to 2 tokens"):
        ragged_inputs(tokenizer, ["a good film"], 2, 1)
