"""NLL of models whose predictions are known."""

import pathlib
import sys
import types

import numpy as np
import pytest

import sharks
from sharks import spec as specs
from sharks.levels.quantize import codec_of
from specs import SPECS, levels, random_tensors

sys.path.append(str(pathlib.Path(__file__).parents[2] / "bench"))
import narrow_cost  # noqa: E402

SPEC = SPECS["samplernn-256-levels"]


def guessing(shares):
    """A pack that predicts the same shares of levels whatever it hears."""
    tensors = {name: np.zeros(shape, np.float32) for name, shape in specs.tensors(SPEC)}
    tensors["sample.out.bias"] = np.log(shares).astype(np.float32)
    return sharks.Pack(SPEC, tensors)


def test_guessing_costs_what_the_levels_cost_under_the_guess():
    shares = np.random.default_rng(0).dirichlet(np.ones(256))
    music = levels(SPEC, 2, 100)
    want = [-np.log2(shares[row[SPEC.lookback :]]).mean() for row in music]
    for dtype in ("float32", "bfloat16", "int8"):
        assert narrow_cost.nll(guessing(shares), music, dtype) == pytest.approx(want, abs=1e-6)


def test_costs_are_what_a_dtype_adds_to_float32():
    pack = sharks.Pack(SPEC, random_tensors(SPEC))
    music = levels(SPEC, 3, 60)
    found = narrow_cost.costs(pack, music)
    assert found["float32"]["added"] == 0
    for dtype in ("bfloat16", "int8"):
        added = narrow_cost.nll(pack, music, dtype) - narrow_cost.nll(pack, music, "float32")
        assert added.any()
        assert found[dtype]["added"] == pytest.approx(added.mean())
        assert found[dtype]["error"] == pytest.approx(np.std(added, ddof=1) / 3**0.5)


def test_stretches_come_from_all_over_the_held_out_music():
    pcm = np.linspace(-32768, 32767, 50 * SPEC.sample_rate).astype(np.int16)
    found = narrow_cost.held_out(types.SimpleNamespace(val=pcm), SPEC)
    assert found.shape == (narrow_cost.STRETCHES, round(narrow_cost.SECONDS * SPEC.sample_rate))
    codec = codec_of(SPEC)
    assert (found[0, 0], found[-1, -1]) == tuple(codec.encode(np.array([-1.0, 32767 / 32768])))
    assert (np.diff(found[:, 0]) >= 0).all() and found[:, 0].min() < 20 and found[:, 0].max() > 230
