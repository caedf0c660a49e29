"""Clips that a failed model might make, and music to tell them from, all drawn from one seed.

Each kind is drawn with its own pitch, loudness, length of riff, place of the fault and music underneath, so that a
detector cannot do well by knowing one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Random = np.random.Generator


def noise(random: Random, n: int, gradient: float = 0.0) -> np.ndarray:
    """Noise whose power falls by 6 `gradient` dB per octave; peak 0.3."""
    x = np.fft.irfft(np.fft.rfft(random.standard_normal(n)) / np.arange(1, n // 2 + 2) ** gradient, n)
    x -= x.mean()
    return 0.3 * x / np.abs(x).max()


def music(random: Random, n: int, rate: int) -> np.ndarray:
    """Something like music: notes of several partials that come and go over a beat, with drums of noise."""
    x, start = np.zeros(n), 0
    while start < n:
        length = int(random.uniform(0.1, 0.6) * rate)
        t = np.arange(min(length, n - start)) / rate
        fade = np.exp(-t * random.uniform(2, 12))
        pitch = 55 * 2 ** (random.integers(0, 36) / 12)
        for partial in range(1, 9):
            x[start : start + length] += fade * np.sin(2 * np.pi * pitch * partial * t) / partial
        x[start : start + length] += random.uniform(0, 0.8) * np.exp(-t * 30) * random.standard_normal(len(t))
        start += length
    return 0.5 * x / np.abs(x).max()


def silent(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """It stops after a while, or has one long hole, or never begins; a hiss may be left."""
    n = len(x)
    length = int(random.uniform(0.4, 1.0) * n)
    start = random.choice([0, n - length, random.integers(0, n - length + 1)])
    hushed = x.copy()
    hushed[start : start + length] *= 10 ** random.uniform(-6, -3.5)
    return hushed + 10 ** random.uniform(-5, -3.5) * random.standard_normal(n)


def dc(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """Off centre, all the time or from somewhere in its first half on."""
    offset = random.choice([-1, 1]) * random.uniform(0.1, 0.5)
    begins = 0 if random.random() < 0.5 else int(random.uniform(0, 0.5) * len(x))
    return 0.5 * x + offset * (np.arange(len(x)) >= begins)


def clipped(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """Driven so hard that a good part of it lies at full scale."""
    return np.clip(x / np.quantile(np.abs(x), random.uniform(0.9, 0.985)), -1, 1)


def noisy(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """White to somewhat darker noise, steady or swelling, over music hardly to be heard."""
    shape = 1.0 if random.random() < 0.5 else np.sin(np.pi * random.uniform(0.5, 4) * np.arange(len(x)) / len(x)) ** 2
    quiet = 0.03 * random.uniform(0, 1) / np.sqrt(np.mean(x**2) + 1e-12)
    return noise(random, len(x), random.uniform(0, 0.4)) * shape + 0.03 * quiet * x


def steady(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """One sound, held: dark noise, a buzz, or a chord that never moves."""
    t = np.arange(len(x)) / rate
    pitch = random.uniform(50, 250)
    kind = random.integers(3)
    if kind == 0:
        return noise(random, len(x), random.uniform(0.5, 1.5))
    if kind == 1:
        return 0.4 * np.sign(np.sin(2 * np.pi * pitch * t))
    chord = sum(np.sin(2 * np.pi * pitch * ratio * t + random.uniform(0, 6)) for ratio in (1, 1.26, 1.5, 2.01))
    return 0.1 * chord + 0.001 * random.standard_normal(len(x))


def whistling(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """A high tone, with a little vibrato or none, above music."""
    t = np.arange(len(x)) / rate
    pitch, wobble = random.uniform(800, 0.4 * rate), random.uniform(0, 4)
    tone = np.sin(2 * np.pi * pitch * t + wobble / 5 * np.sin(2 * np.pi * 5 * t))
    return 0.3 * tone + random.uniform(0.03, 0.12) * x / np.sqrt(np.mean(x**2))


def looping(random: Random, x: np.ndarray, rate: int) -> np.ndarray:
    """One riff over and over, with a little noise or a slow change of loudness."""
    n, start = len(x), random.integers(0, len(x) // 4)
    riff = x[start : start + int(random.uniform(0.25, 2.0) * rate)]
    again = np.tile(riff, n // len(riff) + 1)[:n] + random.uniform(0, 0.005) * random.standard_normal(n)
    return again * (1 + random.uniform(0, 0.3) * np.sin(2 * np.pi * 0.2 * np.arange(n) / rate))


KINDS: dict[str, Callable[[Random, np.ndarray, int], np.ndarray]] = {
    "silent": silent,
    "dc": dc,
    "clipped": clipped,
    "noise": noisy,
    "steady": steady,
    "whistle": whistling,
    "loop": looping,
}


def corpus(
    count: int, seconds: float, rate: int, songs: list[np.ndarray], seed: int = 0
) -> Iterator[tuple[str, np.ndarray]]:
    """`count` clips of every kind: (kind, float64 samples). Every other one is made from a place in one of `songs`."""
    n = round(seconds * rate)
    for number, (kind, spoil) in enumerate(KINDS.items()):
        random = np.random.default_rng([seed, number])
        for i in range(count):
            if songs and i % 2:
                song = songs[random.integers(len(songs))]
                start = random.integers(rate * 10, len(song) - n - rate * 10)
                x = song[start : start + n].astype(np.float64)
            else:
                x = music(random, n, rate)
            yield kind, spoil(random, x, rate)
