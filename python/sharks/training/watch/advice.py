"""What a musician should know while a model learns, once each, with what to do about it."""

from __future__ import annotations

import collections
import math
import pathlib

from .display import Display
from .listener import Listener

_PATIENCE = 3  # validations in a row that are worse than the best before it is said
_WORSE = 0.02  # bits
_EARLY = 0.1  # of the training: until then nothing need be learnt
_BAD = 0.5  # of the previews, twice in a row

_PREVIEWS = {
    "silent": "it falls into pauses: leave chunks with pauses out (--set data.silence_db=-40 "
    "--set data.silence_seconds=0.05) and begin --fresh, or play at a higher temperature",
    "noise": "it has not learnt to play yet; if that lasts, begin --fresh with a lower train.learning_rate",
    "hum": "it gets stuck in one sound; play at a higher temperature, or listen to earlier checkpoints",
    "steady": "it holds one sound; play at a higher temperature, or listen to earlier checkpoints",
    "whistle": "it whistles; play at a higher temperature, or listen to earlier checkpoints",
    "loop": "it repeats one riff; play at a higher temperature, or give it more music",
    "dc": "its waveform is off centre; begin --fresh with a lower train.learning_rate",
    "clipped": "it plays too loud; prepare quieter music, or play at another temperature",
}


class Advice(Listener):
    """Thinks about what happens, and gives a display sentences to show, none of them twice."""

    def __init__(self, steps: int, order0: float, display: Display, newest: bool = False) -> None:
        """Of a run of so many steps; guessing costs `order0` bits. `newest`: knowing it by heart is no fault."""
        self._newest = newest
        self._steps, self._order0, self._display = steps, order0, display
        self._best, self._best_step, self._worse = math.inf, 0, 0
        self._trained_at_best = math.inf
        self._bad: collections.Counter[str] = collections.Counter()
        self._said: set[str] = set()

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        found, trained = [], self._display.trained
        if nll < self._best:
            self._best, self._best_step, self._worse, self._trained_at_best = nll, step, 0, trained
        elif nll > self._best + _WORSE:
            self._worse += 1
        if nll >= self._order0 and step >= max(100, _EARLY * self._steps):
            found.append(
                "not learning: guessing by the histogram is as good; try a lower train.learning_rate, and "
                "`--smoke`, which says within minutes whether data and settings work at all"
            )
        if self._worse >= _PATIENCE and trained < self._trained_at_best and not self._newest:
            found.append(
                f"learning by heart: validation has risen since step {self._best_step:,} while the training loss "
                "falls; best.safetensors is from then, so stop here, or give it more music"
            )
        self._advise(found)

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        kinds = collections.Counter(verdict.split(":")[0] for verdict in verdicts)
        found = []
        for kind, advice in _PREVIEWS.items():
            self._bad[kind] = self._bad[kind] + 1 if kinds[kind] > _BAD * len(verdicts) else 0
            if self._bad[kind] == 2:
                found.append(f"previews are {kind} again: {advice}")
        self._advise(found)

    def _advise(self, found: list[str]) -> None:
        new = [sentence for sentence in found if sentence.split(":")[0] not in self._said]
        self._said |= {sentence.split(":")[0] for sentence in new}
        self._display.advise(new)
