"""Differences to a base: how exact they are, what is stored, what is refused."""

import pytest
import torch

from ltp_core.weights.deltas import decode, encode, factors, low_rank, rounded
from tests.some import some

BASE = {"dense.weight": torch.zeros(3, 5), "dense.bias": torch.zeros(3)}


def random_pair(rows, columns, seed=0):
    generator = torch.Generator().manual_seed(seed)
    base = torch.randn(rows, columns, generator=generator)
    scale = 10 ** torch.linspace(-4, -1, rows)[:, None]  # small and large rows
    return base, base + scale * torch.randn(rows, columns, generator=generator)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("columns", [1, 2, 5, 16, 33])
def test_each_row_is_as_close_as_rounding_allows(bits, columns):
    base, tuned = random_pair(6, columns)
    decoded = decode(encode({"w": tuned}, {"w": base}, rounded(bits)), {"w": base})["w"]
    top = 2 ** (bits - 1) - 1
    step = (tuned - base).abs().amax(dim=1) / top  # the largest difference on the last code
    error = (decoded - tuned).square().mean(dim=1).sqrt()
    half = top * 2.0**-25  # the scale is a half: its finest spacing is 2^-24
    assert (error <= 0.51 * step + half + 1e-6).all()
    assert decoded.shape == tuned.shape and decoded.dtype == torch.float32


@pytest.mark.parametrize(("bits", "top"), [(4, 7), (8, 127)])
def test_differences_on_the_grid_come_back_exactly(bits, top):
    codes = torch.tensor([[top, -top, 1], [0, 3, top]])
    scales = torch.tensor([[2.0**-10], [2.0**-6]])  # exact in half precision
    tuned = codes * scales
    stored = encode({"w": tuned}, {"w": torch.zeros(2, 3)}, rounded(bits))
    assert torch.equal(decode(stored, {"w": torch.zeros(2, 3)})["w"], tuned)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_row_that_did_not_change_stays_exact(bits):
    base, tuned = random_pair(4, 7)
    tuned[2] = base[2]
    decoded = decode(encode({"w": tuned}, {"w": base}, rounded(bits)), {"w": base})["w"]
    assert torch.equal(decoded[2], base[2])
    assert decoded.isfinite().all()


@pytest.mark.parametrize("bits", [4, 8])
def test_tiny_differences_are_lost_but_harmless(bits):
    base = torch.zeros(1, 4)
    tuned = torch.tensor([[1e-9, -1e-9, 0.0, 5e-10]])
    decoded = decode(encode({"w": tuned}, {"w": base}, rounded(bits)), {"w": base})["w"]
    assert (decoded - tuned).abs().max() <= 1e-9


def test_four_bits_take_half_a_byte():
    base, tuned = random_pair(6, 9)
    sizes = {b: encode({"w": tuned}, {"w": base}, rounded(b))[f"w.codes{b}"].numel() for b in (4, 8)}
    assert sizes == {4: 6 * 5, 8: 6 * 9}


def test_only_what_changed_is_stored():
    tuned = {**BASE, "dense.weight": torch.ones(3, 5), "head.weight": torch.ones(2, 5)}
    assert set(encode(tuned, BASE, rounded(8))) == {
        "dense.weight.codes8",
        "dense.weight.scales",
        "head.weight.plain",
    }
    assert encode(BASE, BASE, rounded(4)) == {}


def test_vectors_and_new_matrices_are_stored_as_they_are():
    base, tuned = random_pair(4, 6)
    tuned_all = {"v": torch.randn(5), "reshaped": tuned, "new": tuned}
    base_all = {"v": torch.randn(5), "reshaped": torch.zeros(6, 4), "untouched": base}
    decoded = decode(encode(tuned_all, base_all, rounded(4)), base_all)
    for name, weight in some(tuned_all.items()):
        assert torch.equal(decoded[name], weight)
    assert torch.equal(decoded["untouched"], base)


def test_the_base_is_not_changed():
    base, tuned = random_pair(3, 4)
    before = base.clone()
    decode(encode({"w": tuned}, {"w": base}, rounded(8)), {"w": base})
    assert torch.equal(base, before)


@pytest.mark.parametrize("bits", [0, 3, 16])
def test_other_bits(bits):
    with pytest.raises(ValueError, match="bits must be one of"):
        encode({}, {}, rounded(bits))


def test_what_does_not_fit_the_base():
    base, tuned = random_pair(3, 8)
    stored = encode({"w": tuned}, {"w": base}, rounded(8))
    with pytest.raises(ValueError, match="no base or no scales"):
        decode(stored, {})
    with pytest.raises(ValueError, match="no base or no scales"):
        decode({"w.codes8": stored["w.codes8"]}, {"w": base})
    with pytest.raises(ValueError, match="shape"):
        decode(stored, {"w": torch.zeros(4, 8)})


# Low rank


def thin(rows: int, columns: int, rank: int, seed: int = 0) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(rows, rank, generator=draws) @ torch.randn(rank, columns, generator=draws) / 10


@pytest.mark.parametrize("shape", [(20, 12), (12, 20)])
def test_a_difference_of_low_rank_comes_back_from_two_thin_factors(shape):
    base, difference = torch.randn(shape), thin(*shape, rank=3)
    stored = encode({"w": base + difference}, {"w": base}, low_rank(3))
    assert {name: tuple(part.shape) for name, part in stored.items()} == {
        "w.left": (shape[0], 3),
        "w.right": (3, shape[1]),
    }
    assert all(part.dtype == torch.float16 for part in some(stored.values()))
    torch.testing.assert_close(decode(stored, {"w": base})["w"] - base, difference, atol=2e-3, rtol=2e-3)


def test_factors_are_exact_and_equally_large():
    left, right = factors(thin(9, 7, rank=2), 2)
    torch.testing.assert_close(left @ right, thin(9, 7, rank=2), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(left.norm(dim=0), right.norm(dim=1))


def test_a_difference_of_a_higher_rank_is_refused():
    with pytest.raises(ValueError, match="not of rank 2"):
        encode({"w": thin(9, 7, rank=4)}, {"w": torch.zeros(9, 7)}, low_rank(2))


def test_factors_that_do_not_fit():
    base = {"w": torch.zeros(4, 4)}
    left, right = torch.ones(4, 2).half(), torch.ones(2, 4).half()
    with pytest.raises(ValueError, match="no right factor"):
        decode({"w.left": left}, base)
    with pytest.raises(ValueError, match="have no product"):
        decode({"w.left": left, "w.right": torch.ones(3, 4).half()}, base)
    with pytest.raises(ValueError, match="has shape"):
        decode({"w.left": torch.ones(5, 2).half(), "w.right": right}, base)
