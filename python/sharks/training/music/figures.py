"""The figures of the training songs, for the pack to say: what it plays is judged by them, not by noise alone."""

from __future__ import annotations

import math

import numpy as np

from ...dataset.dataset import Dataset
from ...sound import music

SONGS = 12  # heard at most, and of each
SECONDS = 180.0  # from its middle


def figures_of(dataset: Dataset) -> dict[str, list[float]]:
    """The least and the greatest beat, form and tone of the training songs; nothing where a song is too short."""
    tracks = dataset.of("train")
    some = [tracks[i] for i in np.linspace(0, len(tracks) - 1, min(SONGS, len(tracks))).astype(int)]
    found = []
    for track in some:
        length = min(track.length, round(SECONDS * dataset.sample_rate))
        start = track.start + (track.length - length) // 2
        song = dataset.train[start : start + length].astype(np.float32) / np.float32(32768)
        found.append(music.figures([song], dataset.sample_rate))
    ranges = {}
    for name in ("beat", "form", "tone"):
        values = [value for one in found if math.isfinite(value := getattr(one, name))]
        if not values:
            return {}
        ranges[name] = [round(min(values), 3), round(max(values), 3)]
    return ranges
