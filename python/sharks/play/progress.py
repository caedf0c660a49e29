"""Progress: how much is done, how fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .session import Session

Progress = Callable[[float, float, float], object]  # seconds done, seconds in all, x real time per stream


class Meter:
    """Tells `progress` of `n` streams of `samples` free samples, played one session after the other.

    Seconds are those of one clip: with several sessions, the mean over all clips.
    """

    def __init__(self, progress: Progress | None, samples: int, n: int, sample_rate: int) -> None:
        if progress is not None and not callable(progress):
            raise UsageError(
                f"progress is {progress!r}; wanted a function of (seconds done, seconds in all, x real time)"
            )
        self._progress, self._samples, self._per_second = progress, samples, n * sample_rate
        self._total, self._done, self._played = samples / sample_rate, 0, 0
        self._began = 0.0

    def found(self, clips: int) -> None:
        """Count whole clips that were there already."""
        self._done += clips * self._samples

    def play(self, session: Session) -> Iterator[NDArray[np.int32]]:
        """The session's free samples that are left, piece by piece; each is reported after it was used."""
        self._began = self._began or time.perf_counter()
        self._done += session.step * session.request.n
        for piece in session.free(self._samples - session.step):
            yield piece
            self._done += piece.size
            self._played += piece.size
            if self._progress is not None:
                took = max(time.perf_counter() - self._began, 1e-9)
                self._progress(self._done / self._per_second, self._total, self._played / self._per_second / took)
