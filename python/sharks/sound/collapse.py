"""Where a sound stops being music: it falls silent, holds one sound, hisses, or goes round in a short loop.

A window slides along the sound. Noise is the yardstick of movement: the colour of hiss seems to change a little from
moment to moment, by chance; what changes no more than that does not move at all, and music moves more. How the limits
were found, and how often they err: tests/soak/test_collapses.py.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .bands import SILENCE_DB, Frames, frames_of, moving_mean

NOISY = 0.22  # median spectral flatness; white noise 0.56, pink 0.26, the densest music 0.13
HISSING = 0.3, 0.9  # in so many of the frames it is beyond so much: white noise; in music they never are
STILL = 1.16  # x the movement of noise: noise itself reaches 1.13 in one window of a thousand, music falls to 1.3
HELD = 0.4  # x the movement of noise, where most of the power is: a tone or a chord is held
LOOPING = 0.95  # likeness to itself a moment later: an exact loop 0.98, music 0.85 at most
PERIODS = 0.1, 0.9  # seconds of a loop

WINDOW = 1.75  # seconds
LEAST_INSIDE = 4.0  # seconds that it lasts where music goes on after it: music, too, has pauses and held chords
MARGIN = 0.5  # seconds between two such windows that make them two stretches, or between the last one and the end

_MOVING, _REPEATING = 8, 2  # frames taken together, to hear movement past the chance in noise, and repetition
_KINDS = ("", "silent", "hum", "loop", "noise")  # as one hears them; the first that is true counts


@dataclass(frozen=True)
class Lapse:
    """A stretch that is no music: from second to second, which kind ("silent", "hum", "loop", "noise"), and why."""

    start: float
    stop: float
    kind: str
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.kind}: {self.why}"


def lapses(mono: np.ndarray, rate: int, frames: Frames | None = None) -> tuple[Lapse, ...]:
    """The stretches of a sound (n,) that are no music, in order: of 1.75 s at its end, of 4 s elsewhere.

    `frames`: those of the sound, where they are known already. Silence counts at the end alone.
    """
    frames = frames_of(np.asarray(mono, np.float32), rate) if frames is None else frames
    window = round(WINDOW * frames.per_second)
    if len(frames.heard) < window:
        return ()
    heard = _Heard(frames, window, rate)
    return tuple(heard.lapse(first, last, mono.size / rate) for first, last in heard.stretches())


class _Heard:
    """What each window of the frames is: one entry per place where it may begin."""

    def __init__(self, frames: Frames, window: int, rate: int) -> None:
        self.window, self.per_second = window, frames.per_second
        heard = moving_mean(frames.heard, window)
        quiet = heard < 0.05
        self.flatness = moving_mean(frames.flatness * frames.heard, window) / np.maximum(heard, 0.05)
        hissing = moving_mean((frames.flatness > HISSING[0]) & frames.heard, window) > HISSING[1]
        moves, power = _movements(frames, window), moving_mean(frames.power, window)
        self.movement, self.of_noise = moves.mean(axis=1), _movement_of_noise(rate)
        self.of_power = (moves * power).sum(axis=1) / (power.sum(axis=1) + 1e-30)
        self.likeness, self.period = _repetition(frames, window)
        still = self.movement < STILL * self.of_noise
        held = still & (self.of_power < HELD * self.of_noise)
        tests = (quiet, held, self.likeness > LOOPING, still | hissing)
        self.kinds = np.select(tests, range(1, len(_KINDS)), 0)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """The first and last window of each stretch that is long enough to count."""
        bad = np.flatnonzero(self.kinds)
        if not len(bad):
            return
        breaks = np.flatnonzero(np.diff(bad) > MARGIN * self.per_second)
        for first, last in zip(bad[np.r_[0, breaks + 1]], bad[np.r_[breaks, len(bad) - 1]], strict=True):
            at_end = self._at_end(last)
            long = last - first + self.window >= LEAST_INSIDE * self.per_second
            if at_end or (long and self._kind(first, last) != "silent"):
                yield int(first), int(last)

    def lapse(self, first: int, last: int, seconds: float) -> Lapse:
        stop = seconds if self._at_end(last) else (last + self.window) / self.per_second
        kind = self._kind(first, last)
        here = np.flatnonzero(self.kinds[first : last + 1] == _KINDS.index(kind)) + first
        start = first / self.per_second
        if kind == "loop" and first:
            start += float(np.median(self.period[here]))  # the first time round was music
        return Lapse(start, stop, kind, self._why(kind, here))

    def _at_end(self, last: int) -> bool:
        return len(self.kinds) - 1 - last <= MARGIN * self.per_second

    def _kind(self, first: int, last: int) -> str:
        return _KINDS[1 + int(np.bincount(self.kinds[first : last + 1], minlength=len(_KINDS))[1:].argmax())]

    def _why(self, kind: str, here: np.ndarray) -> str:
        if kind == "silent":
            return f"nothing above {SILENCE_DB:.0f} dBFS"
        if kind == "loop":
            return f"it repeats itself every {np.median(self.period[here]):.1f} s"
        if kind == "noise" and (flatness := np.median(self.flatness[here])) > NOISY:
            return f"its spectral flatness is {told_apart(flatness, NOISY)[0]}, music stays below {NOISY}"
        moves, limit = told_apart(np.median(self.movement[here]), STILL * self.of_noise)
        return f"it moves by {moves} dB, music by more than {limit}"


def movement(frames: Frames, window: int) -> np.ndarray:
    """How much the colour of a sound changes within each window of so many frames: dB, the mean over the bands."""
    moves: np.ndarray = _movements(frames, window).mean(axis=1)
    return moves


def _movements(frames: Frames, window: int) -> np.ndarray:
    """The same of each band, (windows, bands)."""
    shapes = frames.shapes(_MOVING)
    count = window - _MOVING + 1
    variance = moving_mean(shapes**2, count) - moving_mean(shapes, count) ** 2
    moves: np.ndarray = np.sqrt(np.maximum(0, variance))
    return moves


@functools.cache
def _movement_of_noise(rate: int) -> float:
    """The mean movement of white noise: by the rate, for fewer bins in a band leave more to chance."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(20 * rate).astype(np.float32)
    frames = frames_of(noise, rate)
    return float(movement(frames, round(WINDOW * frames.per_second)).mean())


def _repetition(frames: Frames, window: int) -> tuple[np.ndarray, np.ndarray]:
    """How like itself each window is one period later, 1 where it is the same, and the period in seconds.

    The shortest period that makes a loop, else the one that comes nearest to it.
    """
    shapes = frames.shapes(_REPEATING)
    count = window - _REPEATING + 1
    spread = moving_mean((shapes**2).mean(axis=1), count) - (moving_mean(shapes, count) ** 2).mean(axis=1)
    likeness, period = np.full(len(spread), -np.inf), np.zeros(len(spread))
    for later in range(*(round(seconds * frames.per_second) for seconds in PERIODS)):
        apart = np.square(shapes[later:] - shapes[:-later]).mean(axis=1)
        found = 1 - moving_mean(apart, count - later)[: len(spread)] / (2 * spread + 1e-6)
        better = (found > likeness) & (likeness <= LOOPING)
        likeness, period = np.where(better, found, likeness), np.where(better, later / frames.per_second, period)
    return likeness, period


def told_apart(value: float, limit: float, digits: int = 2) -> tuple[str, str]:
    """A number and its limit with as many digits as it takes to see which is larger."""
    while digits < 9 and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{value:.{digits}f}", f"{limit:.{digits}f}"
