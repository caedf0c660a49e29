"""When it will be done: what is left to do, times how long each kind of it has taken so far."""

from __future__ import annotations

import math

from ...recipes.recipe import TrainRecipe
from .listener import Listener

_MEMORY = 0.98  # of the mean over steps, so that it follows a machine that others use too


class Forecast(Listener):
    """Seconds per kind of work: "step", "validation", "preview", "save" and the "judging" at the end."""

    def __init__(self, train: TrainRecipe, guesses: dict[str, float]) -> None:
        """`guesses` are believed until the first of a kind was measured."""
        self._train, self._means, self._counts = train, dict(guesses), dict.fromkeys(guesses, 0)

    def took(self, kind: str, seconds: float) -> None:
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        keep = min(_MEMORY, 1 - 1 / count)
        self._means[kind] = keep * self._means.get(kind, 0.0) + (1 - keep) * seconds

    @property
    def samples_per_second(self) -> float:
        """That are learnt from."""
        return 1 / max(self._means["step"], 1e-9) * self._train.batch * self._train.chunk_len

    def left(self, step: int, budget: float = math.inf) -> float:
        """Seconds from after `step` to the end, with a budget of so many seconds for all that comes before the end."""
        means = self._means
        whole = sum(count * means.get(kind, 0.0) for kind, count in self.work(step).items())
        closing = sum(means.get(kind, 0.0) for kind in ("validation", "preview", "save", "judging"))
        return min(whole, max(0.0, budget) + closing)

    def work(self, step: int) -> dict[str, int]:
        """How much of each kind is left after `step`."""
        train, end = self._train, self._train.steps

        def times(every: int) -> int:
            """Multiples of `every` before the end."""
            return max(0, (end - 1) // every - step // every)

        saves, last = times(train.checkpoint_every), int(step < end)
        both = times(math.lcm(train.checkpoint_every, train.validate_every))
        return {
            "step": max(0, end - step),
            "validation": saves + times(train.validate_every) - both + last,
            "preview": times(train.preview_every) + last,
            "save": saves + last,
            "judging": 1,
        }
