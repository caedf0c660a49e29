"""Cutting silence out of a stream: the ends of a track, and pauses nobody would learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SILENCE_DB = -60.0  # a window of 100 ms whose RMS about its own mean (so DC is silence too) is below is silent
LONGEST = 2.0  # seconds of silence that may stay; a longer one is shortened to its first and last half second
MARGIN = 5  # windows kept on either side of a shortened silence


class SilenceCutter:
    """Takes mono float32 blocks (n,) at `rate` Hz, gives back what stays, in bounded memory.

    The ends are trimmed to one window before and after everything at or above `trim_db`; silence inside, below -60
    dBFS (or `trim_db`, if that is lower), is shortened where it lasts longer than `longest` seconds. Because a track
    may fade out for hours, what lies behind its last loud window is given out too: keep the first `end` samples.
    """

    def __init__(self, rate: int, trim_db: float = SILENCE_DB, longest: float = LONGEST) -> None:
        self._window = rate // 10
        self._trim, self._silent = 10 ** (trim_db / 20), 10 ** (min(trim_db, SILENCE_DB) / 20)
        self._most = 10 * longest  # windows
        self._margin = int(min(MARGIN, max(1, self._most // 2)))
        self._rest = np.zeros(0, np.float32)  # less than a window
        self._pending: list[np.ndarray] = []  # silent windows, kept or not once it is known how long it lasts
        self._run = 0  # length of the present silence in windows
        self._given = 0  # samples given out
        self._started = False
        self.end = 0  # of what was given out, the samples to keep
        self.cut = 0  # samples of silence left out inside

    def feed(self, block: np.ndarray) -> Iterator[np.ndarray]:
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // self._window * self._window
        self._rest = samples[whole:]
        windows = samples[:whole].reshape(-1, self._window)
        for window, level in zip(windows, windows.std(axis=1).tolist(), strict=True):
            yield from self._take(window, level)

    def finish(self) -> Iterator[np.ndarray]:
        """What is left at the end of the stream. Afterwards `end` is final."""
        if len(self._rest):
            yield from self._take(self._rest, float(self._rest.std()))
        if self._started:
            yield from self._give(self._pending)
            self.end = min(self._given, self.end + self._window)

    def _take(self, window: np.ndarray, level: float) -> Iterator[np.ndarray]:
        loud = level >= self._trim
        if not self._started and not loud:
            self._pending = [window]  # one window leads in
            return
        self._started = True
        if level < self._silent and self._most < np.inf:  # else it stays, however long, and is not gathered
            self._run += 1
            self._pending.append(window)
            if self._run > self._most:
                self.cut += sum(map(len, self._pending[self._margin : -self._margin]))
                del self._pending[self._margin : -self._margin]
            return
        self._run = 0
        yield from self._give([*self._pending, window])
        self._pending = []
        if loud:
            self.end = self._given

    def _give(self, windows: list[np.ndarray]) -> Iterator[np.ndarray]:
        for window in windows:
            self._given += len(window)
            yield window
