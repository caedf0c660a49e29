"""Does a backend play a pack as the reference did? The golden steps inside the pack tell, on any machine.

Forced over the same levels, the logits must lie within the bound of docs/design.md. Running free with the same noise,
the levels must be the same; they may part only where the reference's two scores were so close that errors within the
bound could turn them round.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.door import described, open_player
from ..errors import UsageError, arguments
from ..levels.sampling import gumbel
from ..packs import golden as golden_steps
from ..packs.golden import Golden
from ..packs.pack import Pack, pack_of

BOUNDS = {  # x max(1, max |logit|); bfloat16 and int8 change the model by more than a bound would tell
    "float32": 2e-5,
    # Rounded to float16, a number is off by at most 2^-11 of itself, and a product of such weights and inputs, whose
    # errors have random signs, by less than 2^-11 of its size. Errors of 64 products in a row, more than any chain
    # here, add up to the square root of 64 times as much.
    "float16": 8 * 2.0**-11,
}


@dataclass(frozen=True)
class Report:
    """What `check` found. `max_error` and `bound` are of logits; `parted_at` is the first free step that differs."""

    ok: bool
    max_error: float
    bound: float
    steps: int
    parted_at: int | None
    device: str
    dtype: str
    isa: str
    plan: str

    def __str__(self) -> str:
        parted = "" if self.parted_at is None else f", other levels from free step {self.parted_at}"
        return (
            f"{'ok' if self.ok else 'NOT ok'}: {self.steps} steps on "
            f"{described(self.device, self.isa, self.dtype, self.plan)}, "
            f"largest error {self.max_error:.2g}, allowed {self.bound:.2g}{parted}"
        )


def check(
    pack: Pack | str | os.PathLike[str], device: str = "auto", dtype: str = "float32", plan: str = "default"
) -> Report:
    """Play the golden steps of a pack (or of the pack at a path) on a device and compare.

    `device`: "auto" is what would play it here. "reference" compares the judge with itself: is the file whole?

    A pack that was saved without golden steps has the reference play them first. Raises as `load` and `open_player` do.

    >>> report = sharks.check("run", device="cpu")
    >>> report.ok, report.max_error < report.bound
    (True, True)
    """
    if not isinstance(dtype, str) or dtype not in BOUNDS:
        kinds = ", ".join(BOUNDS)
        raise UsageError(f"is {arguments.shown(dtype)}; golden steps are played as {kinds}", argument="dtype")
    pack = pack_of(pack)
    golden = pack.golden
    player = open_player(pack, 1, device=device, dtype=dtype, condition=golden.condition, plan=plan)
    free, logits = golden_steps.replay(player, golden)
    bound = BOUNDS[dtype] * max(1.0, float(np.abs(golden.logits).max()))
    error = float(np.abs(logits.astype(np.float64) - golden.logits).max())
    parted = _first_difference(free, golden.free)
    close = parted is None or _gap(golden, parted, int(free[parted])) <= 2 * bound
    return Report(
        ok=bool(error <= bound and close),  # NaN is never within a bound
        max_error=error,
        bound=bound,
        steps=len(golden.forced) + len(golden.free),
        parted_at=parted,
        device=player.device,
        dtype=player.dtype,
        isa=player.isa,
        plan=player.plan,
    )


def _first_difference(a: NDArray[np.int32], b: NDArray[np.int32]) -> int | None:
    different = np.flatnonzero(a != b)
    return int(different[0]) if len(different) else None


def _gap(golden: Golden, step: int, level: int) -> float:
    """By how much the reference's score of its own draw at a free step beat that of another level."""
    logits = golden.logits[step - len(golden.free)]
    noise = gumbel(golden.seed, [golden.stream], step, len(logits))[0]
    scores = logits.astype(np.float64) + golden.temperature * noise
    return float(scores[golden.free[step]] - scores[level])
