"""In which order cuts follow each other: what sounds alike stands side by side.

Every cut becomes a vector of what its spectrum is like and how it moves. The order is one path over all of them: the
shortest of several nearest-neighbour paths, then stretches of it turned round as long as that shortens it (2-opt). The
same cuts always give the same path.
"""

from __future__ import annotations

import functools

import numpy as np

BANDS = 40
LOWEST = 40.0  # Hz
FRAME_SECONDS = 0.064
FLOOR = 1e-6  # of the loudest band's power: what is weaker is not told apart
FRAMES_AT_ONCE = 1024  # so that an hour needs no more memory than a minute
STARTS = 16  # nearest-neighbour paths tried


def features(mono: np.ndarray, rate: int) -> np.ndarray:
    """What a sound (n,) is like: mean, spread and movement of 40 log-mel bands, float64 [120].

    Its loudness is taken out: the gain evens that out anyway.
    """
    size = 1 << max(6, round(np.log2(FRAME_SECONDS * rate)))
    mono = np.pad(mono, (0, max(0, size - len(mono))))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 2]
    some = range(0, len(frames), FRAMES_AT_ONCE)
    power = np.concatenate([_mel_power(frames[i : i + FRAMES_AT_ONCE], rate) for i in some])
    bands = np.log(power + FLOOR * power.max() + 1e-30)
    movement = np.abs(np.diff(bands, axis=0)).mean(axis=0) if len(bands) > 1 else np.zeros(BANDS)
    mean = bands.mean(axis=0)
    return np.concatenate([mean - mean.mean(), bands.std(axis=0), movement])


def shortest_path(vectors: np.ndarray) -> list[int]:
    """An order of the rows of `vectors` [n, d] in which neighbours are alike."""
    n = len(vectors)
    if n < 2:
        return list(range(n))
    distance = distances(vectors)
    starts = np.unique(np.linspace(0, n - 1, min(n, STARTS)).astype(int))
    paths = [_nearest_neighbours(distance, int(start)) for start in starts]
    path = _two_opt(distance, min(paths, key=lambda path: length(distance, path)))
    return path if path[0] <= path[-1] else path[::-1]


def distances(vectors: np.ndarray) -> np.ndarray:
    """Euclidean distances [n, n] after every column was brought to mean 0 and spread 1."""
    spread = vectors.std(axis=0)
    scaled = (vectors - vectors.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
    # Row by row, and not as a product of matrices, whose rounding depends on threads.
    return np.array([np.sqrt(np.square(scaled - row).sum(axis=1)) for row in scaled])


def length(distance: np.ndarray, path: list[int]) -> float:
    return float(distance[path[:-1], path[1:]].sum())


def _nearest_neighbours(distance: np.ndarray, start: int) -> list[int]:
    path, left = [start], np.ones(len(distance), bool)
    left[start] = False
    while len(path) < len(distance):
        path.append(int(np.where(left, distance[path[-1]], np.inf).argmin()))
        left[path[-1]] = False
    return path


def _two_opt(distance: np.ndarray, path: list[int]) -> list[int]:
    """Turn stretches of the path round while that makes it shorter."""
    order, n = np.array(path), len(path)
    shortened = True
    while shortened:
        shortened = False
        for i in range(n - 1):
            ends = order[i + 1 :]  # of a stretch that begins at i
            before, after = order[i - 1], order[i + 2 :]
            gain = np.zeros(len(ends))
            if i:
                gain += distance[before, order[i]] - distance[before, ends]
            gain[:-1] += distance[ends[:-1], after] - distance[order[i], after]
            best = int(gain.argmax())
            if gain[best] > 1e-9:
                stop = i + best + 2
                order[i:stop] = order[i:stop][::-1].copy()
                shortened = True
    return [int(k) for k in order]


def _mel_power(frames: np.ndarray, rate: int) -> np.ndarray:
    """The power in each mel band, [frames, bands]."""
    size = frames.shape[1]
    spectrum = np.fft.rfft(frames * np.hanning(size), axis=1)
    return np.abs(spectrum) ** 2 @ _mel_bands(size, rate).T


@functools.lru_cache
def _mel_bands(size: int, rate: int) -> np.ndarray:
    """Triangles [bands, bins], evenly spaced on the mel scale from 40 Hz to half the rate."""
    low, high = _mel(LOWEST), _mel(rate / 2)
    corners = 700 * (np.exp(np.linspace(low, high, BANDS + 2) / 1127) - 1)
    hertz = np.arange(size // 2 + 1) * rate / size
    rising = (hertz - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - hertz) / np.diff(corners)[1:, None]
    return np.maximum(0, np.minimum(rising, falling))


def _mel(hertz: float) -> float:
    return float(1127 * np.log1p(hertz / 700))
