"""A session: a request being played on a device, span by span.

Work is done in spans of about a tenth of a second, so that Ctrl-C is met soon; where one span ends cannot be heard.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
import typing
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..engine.door import State, open_player
from ..levels.quantize import codec_of
from .request import Request

SPAN_SECONDS = 0.1  # seconds of work
MOST_STEPS = 1 << 16  # of a span


@dataclasses.dataclass(frozen=True)
class Where:
    """What plays: kept in `Audio` and in the manifest."""

    device: str
    dtype: str
    isa: str
    plan: str


class Session:
    """The streams of a request at rest before their first sample; `begin` or `resume`, then `force` and `free` play on.

    `device`, `dtype`, `threads`, `plan` and the errors are those of `engine.open_player`.
    """

    def __init__(
        self,
        request: Request,
        *,
        device: str = "auto",
        dtype: str = "float32",
        threads: int | None = None,
        plan: str = "default",
    ) -> None:
        self.request = request
        self.step = 0  # free samples so far
        self._open: dict[str, typing.Any] = {"device": device, "dtype": dtype, "threads": threads, "plan": plan}
        self._player = open_player(request.pack, request.n, condition=request.condition, **self._open)
        self._spans = Spans()

    @property
    def where(self) -> Where:
        return Where(*(getattr(self._player, field.name) for field in dataclasses.fields(Where)))

    def begin(self) -> None:
        """Go to the first free sample: the initial state, the silence where it begins with one, the primer."""
        spec = self.request.pack.spec
        self._player.reset(np.full((self.request.n, spec.lookback), codec_of(spec).pad_level, np.int32))
        if self.request.start == "silence":
            self._player.set_state(self._after_silence())
        if self.request.primer is not None:
            self.force(np.broadcast_to(self.request.primer, (self.request.n, self.request.primer.shape[1])))

    def resume(self, state: State) -> None:
        """Go to where a session of the same request was when it gave its `state`."""
        self._player.set_state(state)
        self.step = int(state["step"][0])

    def state(self) -> State:
        """What `resume` needs: a copy."""
        return self._player.get_state()

    def force(self, levels: NDArray[np.int32]) -> None:
        """Hear `levels` int32 (n, samples)."""
        for start, count in self._spans(levels.shape[1]):
            self._player.force(levels[:, start : start + count], want_logits=False)

    def again(self, levels: NDArray[np.int32], path: pathlib.Path) -> None:
        """Go through free samples int (n, samples) that were played before, and are in the clip `path`."""
        self.force(levels)
        self.step += levels.shape[1]
        state = self._player.get_state()
        state["step"] = np.full(self.request.n, self.step, np.int64)
        self._player.set_state(state)

    def free(self, samples: int) -> Iterator[NDArray[np.int32]]:
        """Play on for `samples` samples: spans of levels int32 (n, count)."""
        request = self.request
        for _, count in self._spans(samples):
            levels = self._player.run(count, request.schedule.at(self.step, count), request.seed, request.streams)
            self.step += count
            yield levels

    def _after_silence(self) -> dict[str, NDArray[typing.Any]]:
        """The state after as much silence as a prediction can see.

        Streams do not hear each other, so those under one condition are played as one, and its state is copied.
        """
        spec = self.request.pack.spec
        distinct, stream_of = None, np.zeros(self.request.n, np.intp)
        if self.request.condition is not None:
            distinct, stream_of = np.unique(self.request.condition, axis=0, return_inverse=True)
        count = int(stream_of.max()) + 1
        pads = np.full((count, spec.context), codec_of(spec).pad_level, np.int32)
        one = open_player(self.request.pack, count, condition=distinct, **self._open)
        one.reset(pads[:, : spec.lookback])  # these count, though the newest is fed later
        for start, size in Spans()(spec.context - spec.lookback):
            one.force(pads[:, start : start + size], want_logits=False)
        return {name: array[stream_of.reshape(-1)] for name, array in one.get_state().items()}


class Spans:
    """Cuts work into spans of about `SPAN_SECONDS` seconds, by how long the spans before took."""

    def __init__(self) -> None:
        self._size = 1

    def __call__(self, total: int) -> Iterator[tuple[int, int]]:
        """(start, count) of each span; what the caller does before asking for the next is timed."""
        start = 0
        while start < total:
            count = min(self._size, total - start)
            began = time.perf_counter()
            yield start, count
            took = time.perf_counter() - began
            start += count
            self._size = max(1, min(2 * self._size, MOST_STEPS, int(count * SPAN_SECONDS / max(took, 1e-9))))
