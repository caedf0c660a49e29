"""The ruler: how close two runners must be, as data, and one assertion that says where they part.

A bound is a fraction of max(1, max |wanted|) of the stage. The float32 rows are the promise of docs/design.md: within
2e-5 of that, or twice the error that torch float32 makes on the same pack, whichever is larger.
"""

from __future__ import annotations

import fnmatch
import math

import numpy as np

# (stage pattern, arithmetic) -> bound. The first pattern that fits counts. Values always arrive as float32.
BOUNDS: dict[tuple[str, str], float] = {
    ("tier.*.rnn.*", "float32"): 2e-5,
    ("sample.hidden.last", "float32"): 2e-5,
    ("layer.*.gated", "float32"): 2e-5,
    ("layer.*.out", "float32"): 2e-5,
    ("prior.*", "float32"): 2e-5,
    ("skip", "float32"): 2e-5,
    ("head.0", "float32"): 2e-5,
    ("logits", "float32"): 2e-5,
    # A number rounded to float16 is off by at most 2^-11 of itself, of random sign, by 0.4 of that in the mean square.
    # So a product whose weights and inputs are both rounded is off by less than 2^-11 of its size; errors of 64
    # products in a row, more than any chain here, add up to the square root of 64 times as much.
    ("*", "float16"): 8 * 2.0**-11,
    ("*", "float64"): 2.0**-22,  # two results computed in float64, each rounded to float32 for the journey
}
GOLDEN = 1e-4  # absolute, on logits and log-probabilities: what "imports correctly" means


def bound(stage: str, arithmetic: str, want: np.ndarray, torch_error: float | None = None) -> float:
    """The largest difference allowed at a stage; `torch_error` is torch float32's own largest difference there."""
    for (pattern, kind), fraction in BOUNDS.items():
        if kind == arithmetic and fnmatch.fnmatchcase(stage, pattern):
            limit = fraction * max(1.0, float(np.abs(want).max()))
            break
    else:
        raise KeyError(f"no bound for stage {stage!r} in {arithmetic}")
    if torch_error is None:
        return limit
    assert math.isfinite(torch_error) and torch_error >= 0, f"torch_error is {torch_error}"
    return max(limit, 2 * torch_error)


def assert_close(
    got: np.ndarray,
    want: np.ndarray,
    stage: str = "logits",
    *,
    arithmetic: str = "float32",
    torch_error: float | None = None,
    limit: float | None = None,
) -> float:
    """Assert that `got` equals `want` within the stage's bound (or the absolute `limit`), and return the largest
    difference. Both must be float32, of one shape, not empty and finite; -inf, NaN and missing values never pass.
    """
    for name, array in (("got", got), ("want", want)):
        assert isinstance(array, np.ndarray), f"{stage}: {name} is {type(array).__name__}; wanted an array"
        assert array.dtype == np.float32, f"{stage}: {name} is {array.dtype}; wanted float32"
    assert got.shape == want.shape, f"{stage}: got shape {got.shape}; wanted {want.shape}"
    assert want.size, f"{stage}: nothing to compare, both are {want.shape}"
    for name, array in (("got", got), ("want", want)):
        broken = np.argwhere(~np.isfinite(array))
        assert not len(broken), (
            f"{stage}: {name} has {len(broken)} values that are not finite, first at {_place(broken[0])}"
        )
    allowed = bound(stage, arithmetic, want, torch_error) if limit is None else limit
    error = np.abs(got.astype(np.float64) - want)
    worst = np.unravel_index(error.argmax(), error.shape)
    assert error[worst] <= allowed, (
        f"{stage}: at {_place(worst)} got {got[worst]:.9g}, wanted {want[worst]:.9g}: {error[worst]:.3g} apart, "
        f"allowed {allowed:.3g}; {int((error > allowed).sum())} of {error.size} values are too far"
    )
    return float(error[worst])


def assert_stages_close(
    got: dict[str, np.ndarray],
    want: dict[str, np.ndarray],
    *,
    arithmetic: str = "float32",
    torch_errors: dict[str, float] | None = None,
) -> dict[str, float]:
    """`assert_close` at every stage, in the order of `want`, so that the first stage that parts is the one reported."""
    assert want, "nothing to compare: no stages"
    assert list(got) == list(want), f"stages are {list(got)}; wanted {list(want)}"
    errors = torch_errors or {}
    return {
        name: assert_close(got[name], want[name], name, arithmetic=arithmetic, torch_error=errors.get(name))
        for name in want
    }


def _place(index: tuple[int, ...] | np.ndarray) -> str:
    return "[" + ", ".join(str(int(i)) for i in index) + "]"
