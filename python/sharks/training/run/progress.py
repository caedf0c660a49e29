"""How far a run has come: what a checkpoint keeps besides the learner's arrays."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field


@dataclass
class Progress:
    best_step: int | None = None
    best_nll: float = math.inf  # bits
    nll: float = math.nan  # bits, at the last validation
    hours: float = 0.0  # spent training, in all sessions
    tracks: dict[str, float] = field(default_factory=dict)  # bits of each held-out track at the last validation

    def validated(
        self, step: int, nll: float, tracks: dict[str, float], may_be_best: bool, newest: bool = False
    ) -> None:
        """The best is the lowest NLL among checkpoints; without held-out music (NaN), or if so wanted, the newest."""
        self.nll, self.tracks = nll, tracks
        if may_be_best and (newest or not nll >= self.best_nll):
            self.best_step, self.best_nll = step, nll

    def facts(self) -> dict[str, typing.Any]:
        """As JSON, which has no infinity: what is not known yet is left out."""
        every = dataclasses.asdict(self)
        return {k: v for k, v in every.items() if not isinstance(v, float) or math.isfinite(v)}
