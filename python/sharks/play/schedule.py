"""Temperature over time.

A value depends on the absolute step alone: it is computed in float64 by the same two products and sums whatever the
chunk, and rounded to float32 once, so that how a run is cut into calls cannot be heard.
"""

from __future__ import annotations

import copy
import math
import typing
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError, UsageError, arguments
from ..packs.pack import Pack

HOTTEST = 1000.0  # far beyond the point where only noise is left

USUAL = 0.95  # of a pack that names none

Temperature = float | Sequence[float] | Sequence[Sequence[float]]


def own_temperature(pack: Pack) -> float:
    """What a pack says that it should be played at; `PackError` where that is no temperature."""
    value = pack.about.get("temperature", USUAL)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= HOTTEST:
        name = "pack" if pack.path is None else pack.path
        raise PackError(f"{name}: names {value!r:.40} as its temperature, wanted 0 to {HOTTEST:g}; give another one")
    return float(value)


class Schedule:
    """The temperature of `n` streams at every free sample.

    `temperature` is one number, one per stream (n,), or points [(seconds, value), ...]: linear between them, held
    before the first and after the last, counted from the first free sample. Raises `UsageError` for anything else.
    """

    def __init__(self, temperature: typing.Any, n: int, sample_rate: int) -> None:
        try:
            given = np.asarray(temperature, np.float64)
        except (TypeError, ValueError, OverflowError):
            arguments.refuse("temperature", temperature, f"a number, {_KINDS}")
        self._points: NDArray[np.float64] | None = None
        self._rate = sample_rate
        if given.ndim == 2 and given.shape[1] == 2 and len(given):
            self._points = given
            seconds, values = given.T
            if not np.isfinite(seconds).all() or (seconds < 0).any() or (np.diff(seconds) <= 0).any():
                raise UsageError(
                    f"has points at {seconds.tolist()} s; wanted rising times from 0 on", argument="temperature"
                )
        elif given.shape in ((), (n,)):
            values = given
        else:
            raise UsageError(
                f"has shape {given.shape}; wanted a number for {n} streams, {_KINDS}", argument="temperature"
            )
        for value in np.atleast_1d(values):
            if not 0 <= value <= HOTTEST:  # NaN is not
                arguments.refuse("temperature", value, f"0 to {HOTTEST:g}, usually 0.8 to 1.1")
        self._constant = np.broadcast_to(given, (n,)) if self._points is None else np.empty(0)
        self.n = n

    def at(self, step: int, count: int) -> NDArray[np.float32]:
        """The temperatures of `count` free samples from `step` on: float32 (n, count)."""
        if self._points is None:
            return np.repeat(self._constant[:, None].astype(np.float32), count, axis=1)
        seconds, values = self._points.T
        now = np.arange(step, step + count, dtype=np.float64) / self._rate
        if len(seconds) == 1:
            line = np.full(count, values[0])
        else:
            i = np.clip(np.searchsorted(seconds, now, side="right") - 1, 0, len(seconds) - 2)
            share = np.clip((now - seconds[i]) / (seconds[i + 1] - seconds[i]), 0.0, 1.0)
            line = values[i] + share * (values[i + 1] - values[i])
        return np.broadcast_to(line.astype(np.float32), (self.n, count))

    def of_streams(self, some: Sequence[int]) -> Schedule:
        """The schedule of some of the streams."""
        part = copy.copy(self)
        part.n = len(some)
        if self._points is None:
            part._constant = self._constant[some]
        return part

    def of_stream(self, i: int) -> float | list[list[float]]:
        """What gives stream `i` its temperatures when it is played alone, as JSON keeps it."""
        if self._points is not None:
            return typing.cast(list[list[float]], self._points.tolist())
        return float(self._constant[i])


_KINDS = "one per stream, or points [(seconds, value), ...]"


def steps(name: str, seconds: typing.Any, sample_rate: int) -> int:
    """Seconds as a number of samples, the nearest; `UsageError` where that is none."""
    samples = math.floor(arguments.positive(name, seconds) * sample_rate + 0.5)
    if not 1 <= samples < 1 << 53:
        raise UsageError(
            f"is {seconds}, which is {samples} samples at {sample_rate} Hz; wanted 1 to 2^53 - 1", argument=name
        )
    return samples
