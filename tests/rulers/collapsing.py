"""Music that stops being music after some seconds, in every way that a model was heard to do it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from spoilt import noise

AFTER = 1.0, 2.0, 4.0, 6.0  # seconds
Random = np.random.Generator


@dataclasses.dataclass(frozen=True)
class Planted:
    """A clip, what became of it, and at which second; a loop is a loop from its first round on, which is music."""

    samples: np.ndarray
    kind: str
    after: float
    period: float = 0.0

    def is_found(self, second: float | None) -> bool:
        """Whether `second` is where it happened, to half a second."""
        return second is not None and self.after - self.period - 0.5 <= second <= self.after + 0.5


def silence(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    return 10 ** random.uniform(-5, -3.5) * random.standard_normal(n)


def stuck_level(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    return np.full(n, random.uniform(-0.9, 0.9))


def hum(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    """Harmonics of the mains, a buzz, a chord, or a high tone, with a little hiss."""
    time, pitch = np.arange(n) / rate, random.uniform(40, 250)
    ratios = ([1, 2, 3, 4, 5], [1, 3, 5, 7, 9, 11], [1, 1.26, 1.5, 2.01], [random.uniform(5, 20)])[random.integers(4)]
    tones = sum(np.sin(2 * np.pi * pitch * r * time + random.uniform(0, 6)) / (1 + i) for i, r in enumerate(ratios))
    return 0.2 * tones + 10 ** random.uniform(-4, -2.5) * random.standard_normal(n)


def hiss(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    """White, pink or brown noise."""
    return noise(random, n, random.uniform(0, 1))


def swelling_hiss(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * random.uniform(0.1, 1) * np.arange(n) / rate + random.uniform(0, 6))
    return noise(random, n, random.uniform(0, 0.5)) * swell


def band_of_hiss(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    """Noise as coloured as the music before it: what a model makes that knows its spectrum, and no more."""
    colour = np.abs(np.fft.rfft(before[-min(len(before), 4 * rate) :], 1024))
    smooth = np.convolve(colour, np.ones(9) / 9, mode="same")
    spectrum = np.fft.rfft(random.standard_normal(n))
    coloured = np.fft.irfft(spectrum * np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, 513), smooth), n)
    return 0.2 * coloured / (coloured.std() + 1e-9)


def loop(random: Random, before: np.ndarray, n: int, rate: int) -> np.ndarray:
    """The last moment again and again, with hardly a hiss."""
    period = _period(random, rate)
    return np.tile(before[-period:], n // period + 1)[:n] + 10 ** random.uniform(-5, -3) * random.standard_normal(n)


def _period(random: Random, rate: int) -> int:
    return int(random.uniform(0.02, 0.8) * rate)


KINDS: dict[str, Callable[[Random, np.ndarray, int, int], np.ndarray]] = {
    "silence": silence,
    "stuck level": stuck_level,
    "hum": hum,
    "hiss": hiss,
    "swelling hiss": swelling_hiss,
    "coloured hiss": band_of_hiss,
    "loop": loop,
}


def planted(clips: list[np.ndarray], rate: int, seed: int = 0) -> Iterator[Planted]:
    """Every clip (n,), ruined in every way after every number of seconds that leaves 2 s at least."""
    for number, clip in enumerate(clips):
        for kind, after in itertools.product(KINDS, AFTER):
            start, key = round(after * rate), [seed, number, list(KINDS).index(kind), round(10 * after)]
            if len(clip) - start < 2 * rate:
                continue
            end = KINDS[kind](np.random.default_rng(key), clip[:start], len(clip) - start, rate)
            period = _period(np.random.default_rng(key), rate) / rate if kind == "loop" else 0.0
            yield Planted(np.concatenate([clip[:start], end]).astype(np.float32), kind, after, period)
