"""The one product that every layer is made of, against numpy, for all weight types, instruction sets and hard sizes."""

import numpy as np
import pytest

_core = pytest.importorskip("sharks._core", reason="the compiled engine is not built")

SIZES = [(1, 1), (7, 9), (8, 31), (16, 16), (31, 33), (33, 64), (48, 5), (64, 64), (65, 130), (200, 40), (512, 257)]
pytestmark = [
    pytest.mark.parametrize("isa", _core.isas()),
    pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}"),
]


def case(size, streams=5):
    rng = np.random.default_rng(size[0] * 1000 + size[1])
    return rng.standard_normal(size, np.float32), rng.standard_normal((streams, size[1]), np.float32)


def bfloat16(x):
    """The nearest bfloat16, ties to even, as float64."""
    bits = x.view(np.uint32).astype(np.uint64)
    bits = (bits + np.uint64(0x7FFF) + (bits >> np.uint64(16) & np.uint64(1))) & np.uint64(0xFFFF0000)
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def float32_bound(w, x):
    """Any order of float32 products and sums stays within this of the exact result."""
    return (np.abs(x).astype(np.float64) @ np.abs(w).T.astype(np.float64)) * (w.shape[1] + 2) * 2.0**-23 + 1e-30


def test_float32(size, isa):
    w, x = case(size)
    want = x.astype(np.float64) @ w.T.astype(np.float64)
    assert (np.abs(_core.product(w, x, "float32", isa) - want) <= float32_bound(w, x)).all()


def test_bfloat16_rounds_both_sides_and_sums_in_float32(size, isa):
    w, x = case(size)
    want = bfloat16(x) @ bfloat16(w).T
    assert (np.abs(_core.product(w, x, "bfloat16", isa) - want) <= float32_bound(w, x)).all()


def test_int8_is_exact_up_to_its_scales(size, isa):
    w, x = case(size)
    row = np.abs(w).max(1, keepdims=True).astype(np.float64)
    whole_w = np.rint(w.astype(np.float64) * (127 / row))
    peak = np.abs(x).max(1, keepdims=True)
    whole_x = np.rint(x * (np.float32(127) / peak)).astype(np.float64)
    want = (whole_x @ whole_w.T) * (row.T / 127) * (peak.astype(np.float64) / 127)
    got = _core.product(w, x, "int8", isa)
    assert (np.abs(got - want) <= np.abs(want) * 6 * 2.0**-24 + 1e-30).all()  # six float32 roundings, sums exact


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_an_input_does_not_feel_its_neighbours(size, isa, dtype):
    w, x = case(size, streams=13)
    together = _core.product(w, x, dtype, isa)
    for b in range(len(x)):
        assert np.array_equal(_core.product(w, np.ascontiguousarray(x[b : b + 1]), dtype, isa)[0], together[b])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_zeros_stay_zeros(size, isa, dtype):
    w, _ = case(size)
    assert not _core.product(w, np.zeros((2, size[1]), np.float32), dtype, isa).any()
    assert not _core.product(np.zeros_like(w), np.ones((2, size[1]), np.float32), dtype, isa).any()
