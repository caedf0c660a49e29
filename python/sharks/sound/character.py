"""What music is like, in a few numbers: enough to tell which clips are like the songs that a model learnt from.

A description is short enough to lie in a pack: for each number, its mean and its spread over stretches of the songs.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .bands import frames_of
from .collapse import WINDOW, movement
from .music import beat

Description = dict[str, list[float]]  # measure -> [mean, spread]

MEASURES = (
    "change",  # dB: how much its bands vary over time; the duller, the less
    "movement",  # dB: how much its colour does from moment to moment
    "flatness",  # decades: from tones to hiss
    "brightness",  # octaves above 1 Hz: where its spectrum has its middle
    "beat",  # how far its onsets repeat themselves within a second; see sound/music.py
)
_WEIGHTS = np.array([1.0, 1.0, 1.0, 1.0, 4.0])  # as much as all colour: where songs have a beat, what has none is noise
STRETCH = 8.0  # seconds that are described at once
_LEAST_SPREAD = 0.05  # of any measure, lest the songs' own evenness makes strangers of all clips


def character(mono: NDArray[np.floating], rate: int) -> NDArray[np.float64]:
    """The measures of a sound (n,), as many as `MEASURES`; zeros for one that is silent."""
    frames = frames_of(np.asarray(mono, np.float32), rate)
    heard = frames.heard
    if not heard.any():
        return np.zeros(len(MEASURES))
    window = min(round(WINDOW * frames.per_second), len(heard))
    moves = movement(frames, window) if window > 8 else np.zeros(1)
    return np.array(
        [
            frames.change(),
            moves.mean(),
            np.log10(np.median(frames.flatness[heard]) + 1e-9),
            np.log2(np.mean(frames.centroid[heard]) + 1),
            beat(mono, rate),
        ]
    )


def describe(stretches: Iterable[NDArray[np.floating]], rate: int) -> Description:
    """What some stretches of music, (n,) each, are like; nothing where there are none."""
    found = np.array([character(stretch, rate) for stretch in stretches])
    if not len(found):
        return {}
    rows = zip(MEASURES, found.mean(axis=0), found.std(axis=0), strict=True)
    return {name: [round(float(mean), 3), round(float(spread), 3)] for name, mean, spread in rows}


def unlikeness(found: NDArray[np.float64], songs: Description) -> float:
    """How far a sound of this character is from the songs described: 1 is as far as they are from their own mean."""
    apart = [
        abs(value - songs[name][0]) / max(songs[name][1], _LEAST_SPREAD)
        for name, value in zip(MEASURES, found, strict=True)
    ]
    return float(np.average(apart, weights=_WEIGHTS))


def is_description(value: object) -> typing.TypeGuard[Description]:
    """Whether something that a file holds can be read as a description."""
    return isinstance(value, dict) and all(
        isinstance(pair := value.get(name), list)
        and len(pair) == 2
        and all(type(number) in (int, float) and math.isfinite(number) for number in pair)
        for name in MEASURES
    )
