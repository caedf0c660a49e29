"""What a model comes to on music that it has not learnt from."""

from __future__ import annotations

import math
import threading

import numpy as np

from .music.batches import Validation
from .step.learner import Learner


class Stopped(Exception):
    """Someone asked to stop while a model was judged, which can be done again."""


def judge(
    learner: Learner, validation: Validation, stop: threading.Event | None = None
) -> tuple[float, dict[str, float]]:
    """The listener's NLL in bits over all stretches, each started fresh, and of each track. Raises `Stopped`."""
    heard: dict[str, list[float]] = {}
    for track, stretches in validation.by_track(learner.train.batch):
        if stop and stop.is_set():
            raise Stopped
        levels = np.stack([validation.levels(stretch) for stretch in stretches])
        heard.setdefault(track, []).extend([learner.listen(levels, validation.context)] * len(stretches))
    every = [bits for track in heard.values() for bits in track]
    return float(np.mean(every)) if every else math.nan, {t: float(np.mean(bits)) for t, bits in heard.items()}
