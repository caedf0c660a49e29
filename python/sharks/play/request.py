"""A request: everything that a clip is a function of, checked, and nothing else.

    (pack, seed, stream, temperature, primer, start, condition)

How many streams play side by side, on how many threads, in what pieces: none of that stands in a request.
"""

from __future__ import annotations

import dataclasses
import secrets
import typing
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.door import MOST_STREAMS
from ..errors import UsageError, arguments
from ..families.spec import STARTS
from ..packs.pack import Pack
from .primer import Prime, primer_levels
from .schedule import Schedule, Temperature, own_temperature


@dataclasses.dataclass(frozen=True, eq=False)
class Request:
    """`n` streams of one pack. Made by `request`."""

    pack: Pack
    seed: int
    streams: NDArray[np.int64]  # (n,)
    schedule: Schedule
    primer: NDArray[np.int32] | None  # levels (n, samples), or (1, samples) for all
    start: str | None  # of `spec.starts`; None where there is one way
    condition: NDArray[typing.Any] | None  # int (n,) or float (n, G)

    @property
    def n(self) -> int:
        return len(self.streams)

    def take(self, some: Sequence[int]) -> Request:
        """The same, of some of the streams alone."""
        return dataclasses.replace(
            self,
            streams=self.streams[some],
            schedule=self.schedule.of_streams(some),
            primer=self.primer[some] if self.primer is not None and len(self.primer) > 1 else self.primer,
            condition=None if self.condition is None else self.condition[some],
        )

    def parts(self, most: int) -> Iterator[Request]:
        """The same streams, at most `most` at a time."""
        for first in range(0, self.n, most):
            yield self.take(range(self.n)[first : first + most])


def request(
    pack: Pack,
    n: int,
    *,
    temperature: Temperature | None,
    seed: int | None = None,
    streams: ArrayLike | None = None,
    prime: Prime | None = None,
    prime_rate: float | None = None,
    start: str | None = None,
    condition: ArrayLike | None = None,
) -> Request:
    """The arguments of `generate` as a request. `UsageError` where they cannot be meant; `AudioError` for a primer."""
    n = arguments.whole("n", n, 1, MOST_STREAMS, f"1 to {MOST_STREAMS} streams")
    schedule = Schedule(own_temperature(pack) if temperature is None else temperature, n, pack.spec.sample_rate)
    seed, ids, start = _seed(seed), _stream_ids(streams, n), _start(pack, start)
    primer = primer_levels(pack.spec, prime, prime_rate, n)
    conditions = pack.spec.condition.per_stream(condition, n)
    pack.spec.condition.vectors(pack.tensors, conditions, n)  # refuses what does not fit
    return Request(pack, seed, ids, schedule, primer, start, conditions)


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbelow(1 << 32)
    return arguments.whole(
        "seed", seed, 0, (1 << 64) - 1, "a whole number from 0 to 2^64 - 1, or None for a random one"
    )


def _stream_ids(streams: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if streams is None:
        return np.arange(n, dtype=np.int64)
    try:
        given = np.asarray(streams)
    except ValueError:
        given = np.empty(0)
    if given.shape != (n,) or given.dtype.kind not in "iu" or given.min() < 0 or int(given.max()) >= 1 << 32:
        arguments.refuse("streams", streams, f"n = {n} whole numbers from 0 to 2^32 - 1, one per stream")
    return given.astype(np.int64)


def _start(pack: Pack, start: str | None) -> str | None:
    if start is not None:
        arguments.choice("start", start, STARTS)
    if start is not None and start not in pack.spec.starts:
        raise UsageError(f"is {start!r}, but {pack.spec.family} begins in one way only; leave it out", argument="start")
    return start or pack.spec.default_start
