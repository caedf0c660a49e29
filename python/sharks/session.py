"""A session: n streams of a pack, started, primed, and played on piece by piece.

Every argument of `generate` and `stream` that concerns the music is checked here, before anything is played. Work is
done in pieces of about a tenth of a second, so that Ctrl-C is met soon; where one piece ends cannot be heard.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
import typing
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .engine import MOST_STREAMS, open_player, per_stream
from .errors import UsageError
from .pack import Pack
from .quantize import codec
from .schedule import Schedule, Temperature
from .spec import WaveNetSpec, did_you_mean

PIECE = 0.1  # seconds of work
MOST_STEPS = 1 << 16  # of a piece

STARTS = ("silence", "empty")


@dataclasses.dataclass(frozen=True)
class Where:
    """What plays: kept in `Audio` and in the manifest."""

    device: str
    dtype: str
    isa: str
    plan: str


class Session:
    """`n` streams, at rest before their first sample until `begin`; then `force` and `free` play on.

    `primer` is levels int32 (n, samples), or (1, samples) for all; the other arguments are those of `generate`. What a
    clip is a function of can be read here: `seed` (a random one for None), `streams` int64 (n,), `primer`, `schedule`,
    `condition`, `start`, `where`. Raises `UsageError` for what cannot be meant.
    """

    def __init__(
        self,
        pack: Pack,
        n: int,
        *,
        temperature: Temperature = 0.95,
        seed: int | None = None,
        streams: ArrayLike | None = None,
        primer: NDArray[np.int32] | None = None,
        condition: ArrayLike | None = None,
        start: str | None = None,
        device: str = "auto",
        dtype: str = "float32",
        threads: int | None = None,
    ) -> None:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= MOST_STREAMS:
            raise UsageError(f"n is {n!r}; wanted 1 to {MOST_STREAMS} streams")
        self.pack, self.n = pack, int(n)
        self.schedule = Schedule(temperature, self.n, pack.spec.sample_rate)
        self.seed = _seed(seed)
        self.streams = _stream_ids(streams, self.n)
        self.start = _start(pack, start)
        self.condition = per_stream(pack, condition, self.n)
        self.primer = None if primer is None else np.broadcast_to(primer, (self.n, primer.shape[1]))
        self.step = 0  # free samples so far
        self._open: dict[str, typing.Any] = {"device": device, "dtype": dtype, "threads": threads}
        self._player = open_player(pack, self.n, condition=self.condition, **self._open)
        self._pieces = Pieces()

    @property
    def where(self) -> Where:
        return Where(*(getattr(self._player, field.name) for field in dataclasses.fields(Where)))

    def begin(self) -> None:
        """Go to the first free sample: the initial state, a WaveNet's silence, the primer."""
        pads = np.full((self.n, self.pack.spec.lookback), codec(self.pack.spec).pad_level, np.int32)
        self._player.reset(pads)
        if self.start == "silence":
            self._player.set_state(self._after_silence())
        if self.primer is not None:
            self.force(self.primer)

    def force(self, levels: NDArray[np.int32]) -> None:
        """Hear `levels` int32 (n, samples)."""
        for start, count in self._pieces(levels.shape[1]):
            self._player.force(levels[:, start : start + count], want_logits=False)

    def heard(self, samples: int) -> None:
        """Count `samples` that were forced as free ones: they are the beginning of the clips."""
        self.step += samples
        state = self._player.get_state()
        state["step"] = np.full(self.n, self.step, np.int64)
        self._player.set_state(state)

    def free(self, samples: int) -> Iterator[NDArray[np.int32]]:
        """Play on for `samples` samples: pieces of levels int32 (n, count)."""
        for _, count in self._pieces(samples):
            levels = self._player.run(count, self.schedule.at(self.step, count), self.seed, self.streams)
            self.step += count
            yield levels

    def _after_silence(self) -> dict[str, NDArray[typing.Any]]:
        """The state after one receptive field of silence.

        Streams do not hear each other, so those under one condition are played as one, and its state is copied.
        """
        spec = self.pack.spec
        assert isinstance(spec, WaveNetSpec)
        distinct, stream_of = None, np.zeros(self.n, np.intp)
        if self.condition is not None:
            distinct, stream_of = np.unique(self.condition, axis=0, return_inverse=True)
        count = int(stream_of.max()) + 1
        pads = np.full((count, spec.receptive_field), codec(spec).pad_level, np.int32)
        one = open_player(self.pack, count, condition=distinct, **self._open)
        one.reset(pads[:, :1])
        for start, size in Pieces()(spec.receptive_field - 1):  # the newest level counts, though it is fed later
            one.force(pads[:, start : start + size], want_logits=False)
        return {name: array[stream_of] for name, array in one.get_state().items()}


class Pieces:
    """Cuts work into pieces of about `PIECE` seconds, by how long the pieces before took."""

    def __init__(self) -> None:
        self._size = 1

    def __call__(self, total: int) -> Iterator[tuple[int, int]]:
        """(start, count) of each piece; what the caller does before asking for the next is timed."""
        start = 0
        while start < total:
            count = min(self._size, total - start)
            began = time.perf_counter()
            yield start, count
            took = time.perf_counter() - began
            start += count
            self._size = max(1, min(2 * self._size, MOST_STEPS, int(count * PIECE / max(took, 1e-9))))


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbelow(1 << 32)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 64:
        raise UsageError(f"seed is {seed!r}; wanted a whole number from 0 to 2^64 - 1, or None for a random one")
    return int(seed)


def _stream_ids(streams: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if streams is None:
        return np.arange(n, dtype=np.int64)
    try:
        given = np.asarray(streams)
    except ValueError:
        given = np.empty(0)
    if given.shape != (n,) or given.dtype.kind not in "iu" or given.min() < 0 or int(given.max()) >= 1 << 32:
        raise UsageError(f"streams is {streams!r}; wanted n = {n} whole numbers from 0 to 2^32 - 1, one per stream")
    return given.astype(np.int64)


def _start(pack: Pack, start: str | None) -> str | None:
    if start is not None and start not in STARTS:
        raise UsageError(f"start is {start!r}{did_you_mean(str(start), STARTS)}")
    if isinstance(pack.spec, WaveNetSpec):
        return start or pack.spec.start
    if start is not None:
        raise UsageError(f"start is {start!r}, but only a WaveNet can choose it; leave it out for {pack.spec.family}")
    return None
