"""What a run will come to, as it is known before its first step: time, memory, disk."""

from __future__ import annotations

import math
import pathlib
import shutil
from dataclasses import dataclass

from ...errors import ResourceError
from ...recipes.recipe import TrainRecipe
from ...terminal.units import duration, in_bytes
from ..music.facts import MusicFacts
from ..step.memory import Size
from .forecast import Forecast

_DAYS = 3  # that people wait for a training which they did not limit


@dataclass(frozen=True)
class RunFacts:
    """The facts, each kind from the part that knows it, and seconds that were rehearsed."""

    music: MusicFacts
    size: Size
    train: TrainRecipe
    folder: pathlib.Path  # of the run
    device: str
    processes: int
    step: int  # where it begins
    hours: float | None  # the budget, if there is one
    spent: float  # hours of it, by now
    seconds_to_learn: float  # a step
    seconds_to_hear: float  # what a step learns from
    seconds_to_preview: float  # 0 where it was not tried

    @property
    def seconds(self) -> float:
        """How long the rest will take: its steps, and all that is done between and after them."""
        budget = math.inf if self.hours is None else (self.hours - self.spent) * 3600
        return Forecast(self.train, self.guesses()).left(self.step, budget)

    @property
    def doubt(self) -> str | None:
        """What to think of before it begins, where nobody will wait for its end; None of a run that has begun."""
        first = min(self.train.preview_every, self.train.steps) * self.seconds_to_learn
        if self.step or self.seconds_to_learn * self.train.steps <= _DAYS * 86400:
            return None
        if self.hours is None:
            return (
                f"{self.train.steps:,} steps take about {duration(self.seconds)} here, and the first sound about "
                f"{duration(first)}: hours (--hours 8) end it in time, and `sharks presets` names what is faster"
            )
        if self.seconds < first:
            return (
                f"{duration(self.seconds)} are {self.seconds / (self.seconds_to_learn * self.train.steps):.1%} of this "
                f"training, and over before its first preview, after about {duration(first)}: `sharks presets` names "
                "what is faster"
            )
        return None

    @property
    def disk_bytes(self) -> int:
        """What the run will hold: its checkpoints, the best, and the one that is being written."""
        return (self.train.keep + 2) * self.size.checkpoint_bytes

    @property
    def disk_free(self) -> int:
        place = self.folder
        while not place.exists() and place != place.parent:
            place = place.parent
        return shutil.disk_usage(place).free

    def check_disk(self) -> None:
        """`ResourceError` where not even two checkpoints fit: there must be an old one while a new one is written."""
        wanted = 2 * self.size.checkpoint_bytes
        if self.disk_free < wanted:
            raise ResourceError(
                f"{self.folder}: the disk has {in_bytes(self.disk_free)} free, wanted {in_bytes(wanted)}"
                " for two checkpoints; free space or choose another place"
            )

    def guesses(self) -> dict[str, float]:
        """Seconds per kind of work before any was measured."""
        heard = self.seconds_to_hear / (self.train.batch * self.train.chunk_len) * self.music.rate
        held_out = 60 * self.music.held_out
        return {
            "step": self.seconds_to_learn,
            "validation": heard * min(self.train.validate_seconds, held_out),
            "preview": self.seconds_to_preview,
            "judging": heard * held_out,
        }

    def __str__(self) -> str:
        music, size, train = self.music, self.size, self.train
        left_out = f" ({music.silent} silent ones left out)" if music.silent else ""
        per_second = train.batch * train.chunk_len / self.seconds_to_learn
        passes = (train.steps - self.step) / music.steps_per_epoch
        parts = [
            f"{music.minutes:.1f} min of music in {music.chunks} chunks{left_out}, {music.held_out:.1f} min held out",
            f"{size.parameters / 1e6:.2f} M parameters on {self.device} in {train.precision}, about "
            f"{in_bytes(size.memory_bytes)} of memory, {in_bytes(size.memory_free)} more are free",
            f"batch {train.batch} x {train.chunk_len} {music.unit}s{self._shares()}, "
            f"{per_second:,.0f} {music.unit}s/s = "
            f"{per_second / music.rate:.1f}x real time",
            f"{train.steps - self.step:,} steps, which hear the music {passes:.1f} times, in about "
            f"{duration(self.seconds)}; "
            f"first preview in about {duration(self._first_preview())}",
            f"disk: about {in_bytes(self.disk_bytes)} for {train.keep + 2} checkpoints, "
            f"{in_bytes(self.disk_free)} are free",
            f"guessing costs {music.order0:.2f} bits per {music.unit} (order-0; uniform {music.uniform:.2f}): less is "
            "better",
        ]
        return "\n".join(parts)

    def _shares(self) -> str:
        """How a batch is taken, where that needs saying."""
        pieces = f" in {self.train.pieces} pieces" if self.train.pieces > 1 else ""
        return pieces + (f" by {self.processes} processes" if self.processes > 1 else "")

    def _first_preview(self) -> float:
        every = self.train.preview_every
        steps = min(every - self.step % every, self.train.steps - self.step)
        return min(steps * self.seconds_to_learn, self.seconds)
