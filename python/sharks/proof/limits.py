"""What this machine allows, measured: how fast its CPU reads weights and multiplies by them.

One stream is bound by bytes: every weight is read in every step (or frame), from the cache where so many bytes fit.
Many streams share that reading and are bound by multiply-adds. The limit is the longer of the two; sampling,
activations and latency come on top.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

LARGE = 50 << 20  # bytes that are read only a few times: a pass takes long enough


@dataclass(frozen=True)
class Limit:
    """What one step of all streams takes at least, in seconds."""

    streams: int
    reading: float  # of the weights, whatever the number of streams
    multiplying: float

    @property
    def samples_per_second(self) -> float:
        """Of all streams together, which no engine on this machine can pass."""
        return self.streams / max(self.reading, self.multiplying)

    @property
    def peak(self) -> float:
        """The same if reading cost nothing."""
        return self.streams / self.multiplying


def limit(cost: dict[str, float], dtype: str, streams: int, threads: int) -> Limit:
    """The limit of a model of this `engine.cost`, measured now, with `threads` that share bytes and multiply-adds.

    The weights of every step lie in the cache that holds them, those of frames in the one that holds everything.
    """
    reading = cost["step_bytes"] / read_rate(round(cost["step_bytes"]), threads)
    if cost["frame_bytes"]:
        reading += cost["frame_bytes"] / read_rate(round(cost["working_set"]), threads)
    return Limit(streams, reading, streams * cost["multiply_adds"] / multiply_rate(dtype, threads))


def read_rate(working_set: int, threads: int = 1) -> float:
    """Bytes per second of `threads` that read a part each of `working_set` bytes, side by side, over and over."""
    from .. import _core

    part = max(1, working_set // threads)
    return sum(part / seconds for seconds in _side_by_side(threads, lambda: _core.probe_read(part, _passes(part))))


def multiply_rate(dtype: str, threads: int = 1) -> float:
    """Multiply-adds per second of `threads` side by side, on registers alone."""
    from .. import _core

    return sum(_side_by_side(threads, lambda: _core.probe_multiply(dtype)))


def _passes(size: int) -> int:
    return 3 if size > LARGE else 7


def _side_by_side(threads: int, probe: Callable[[], float]) -> list[float]:
    """What the probe, which lets go of the interpreter, says in each of so many threads that start together."""
    start = threading.Barrier(threads)

    def take_part(_: int) -> float:
        start.wait()
        return probe()

    with ThreadPoolExecutor(threads) as crew:
        return list(crew.map(take_part, range(threads)))
