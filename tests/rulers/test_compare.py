"""The ruler notices. Each test hands it one fault."""

import numpy as np
import pytest

from compare import BOUNDS, assert_close, assert_stages_close, bound
from sharks import SampleRNNSpec, WaveNetSpec
from sharks.spec import stages


@pytest.fixture
def want():
    return np.random.default_rng(0).normal(0, 2, (2, 5, 7)).astype(np.float32)


def test_equal_passes_and_the_difference_is_returned(want):
    assert assert_close(want.copy(), want) == 0
    near = want.copy()
    near[1, 2, 3] += 1e-5
    assert 0.9e-5 < assert_close(near, want) < 1.1e-5


def test_one_value_off_is_found_and_named(want):
    got = want.copy()
    got[1, 4, 6] += 1e-3
    with pytest.raises(AssertionError, match=r"layer.3.out: at \[1, 4, 6\] got .*, wanted .*; 1 of 70 values"):
        assert_close(got, want, "layer.3.out")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", ["got", "want", "both"])
def test_what_is_not_finite_never_passes(want, value, side):
    got, other = want.copy(), want.copy()
    if side != "want":
        got[0, 1, 2] = value
    if side != "got":
        other[0, 1, 2] = value
    with pytest.raises(AssertionError, match=r"not finite, first at \[0, 1, 2\]"):
        assert_close(got, other)


@pytest.mark.parametrize("shape", [(2, 5, 8), (2, 5, 1), (5, 7), (1, 2, 5, 7)])
def test_a_shape_that_would_broadcast_does_not_pass(want, shape):
    with pytest.raises(AssertionError, match="got shape"):
        assert_close(np.resize(want, shape), want)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
def test_another_dtype_does_not_pass(want, dtype):
    with pytest.raises(AssertionError, match="wanted float32"):
        assert_close(want.astype(dtype), want)
    with pytest.raises(AssertionError, match="wanted float32"):
        assert_close(want, want.astype(dtype))


def test_no_array_does_not_pass(want):
    with pytest.raises(AssertionError, match="NoneType"):
        assert_close(None, want)


def test_nothing_does_not_pass():
    with pytest.raises(AssertionError, match="nothing to compare"):
        assert_close(np.zeros((2, 0, 3), np.float32), np.zeros((2, 0, 3), np.float32))
    with pytest.raises(AssertionError, match="nothing to compare"):
        assert_stages_close({}, {})


def test_the_bound_is_relative_to_the_largest_value_but_never_below_that_of_1():
    assert bound("logits", "float32", np.float32([0.1, -0.3])) == 2e-5
    assert bound("logits", "float32", np.float32([3, -50])) == pytest.approx(1e-3)
    assert bound("logits", "float64", np.float32([0.1])) < 1e-6


def test_torch_may_widen_the_bound_but_not_narrow_it(want):
    got = want + np.float32(5e-4)
    assert_close(got, want, torch_error=3e-4)
    with pytest.raises(AssertionError, match="too far"):
        assert_close(got, want, torch_error=2e-4)
    assert bound("logits", "float32", np.float32([1]), torch_error=0.0) == 2e-5
    for nonsense in (float("nan"), float("inf"), -1.0):
        with pytest.raises(AssertionError, match="torch_error"):
            assert_close(want, want, torch_error=nonsense)


def test_an_absolute_limit_replaces_the_bound(want):
    got = want.copy()
    got[0, 0, 0] += 9e-5
    assert_close(got, want, limit=1e-4)
    with pytest.raises(AssertionError, match="allowed 8e-05"):
        assert_close(got, want, limit=8e-5)


def test_an_unknown_arithmetic_or_stage_has_no_bound(want):
    with pytest.raises(KeyError, match="no bound for stage 'logits' in int4"):
        assert_close(want, want, arithmetic="int4")
    with pytest.raises(KeyError, match="no bound for stage 'nowhere'"):
        assert_close(want, want, "nowhere")


@pytest.mark.parametrize("spec", [WaveNetSpec(), SampleRNNSpec(frame_sizes=(2, 8))], ids=["wavenet", "samplernn"])
def test_every_stage_has_a_float32_bound_of_its_own(spec):
    for stage in stages(spec):
        assert bound(stage.name, "float32", np.ones(1, np.float32)) == 2e-5
    assert ("*", "float32") not in BOUNDS


def test_the_first_stage_that_parts_is_reported(want):
    wanted = {"layer.0.gated": want, "layer.0.out": want, "logits": want}
    got = {name: value.copy() for name, value in wanted.items()}
    assert assert_stages_close(got, wanted) == dict.fromkeys(wanted, 0.0)
    got["layer.0.out"][0, 0, 0] += 1
    got["logits"] += 1
    with pytest.raises(AssertionError, match=r"layer.0.out: at \[0, 0, 0\]"):
        assert_stages_close(got, wanted)
    assert_stages_close(got | {"layer.0.out": want}, wanted, torch_errors={"logits": 0.6})
    with pytest.raises(AssertionError, match="stages are"):
        assert_stages_close({"logits": want}, wanted)
