"""What a musician sees while a model learns: the plan before it starts, and one line that says whether it does.

On a terminal the line is rewritten in place; elsewhere a line is printed now and then. All of it goes to stderr.
"""

from __future__ import annotations

import math
import pathlib
import shutil
import sys
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ...errors import ResourceError
from ..step import memory

_EVERY = {True: 0.5, False: 30.0}  # seconds between lines, on a terminal and elsewhere


@dataclass(frozen=True)
class Plan:
    """The facts known before the first step."""

    minutes: float  # of music to train on
    held_out: float  # minutes
    chunks: int
    silent: int  # chunks left out
    parameters: int
    memory_bytes: int  # weights, gradients, moments and the rehearsed step
    memory_free: int  # bytes that may still be asked for
    precision: str
    pieces: int  # of a batch
    processes: int
    checkpoint_bytes: int
    keep: int  # checkpoints
    folder: pathlib.Path  # of the run
    validate_seconds: float
    preview_every: int
    batch: int
    chunk_len: int
    sample_rate: int
    step: int  # where it begins
    steps: int
    steps_per_epoch: float
    hours: float | None  # the budget, if there is one
    spent: float  # hours of it, by now
    seconds_per_step: float  # as rehearsed
    seconds_to_hear: float  # what a step learns from, as rehearsed
    seconds_to_preview: float  # as rehearsed
    device: str
    uniform: float  # bits
    order0: float  # bits

    @property
    def seconds(self) -> float:
        """How long the steps of the rest will take."""
        rest = (self.steps - self.step) * self.seconds_per_step
        return rest if self.hours is None else min(rest, (self.hours - self.spent) * 3600)

    @property
    def disk_bytes(self) -> int:
        """What the run will hold: its checkpoints, the best, and the one that is being written."""
        return (self.keep + 2) * self.checkpoint_bytes

    @property
    def disk_free(self) -> int:
        place = self.folder
        while not place.exists() and place != place.parent:
            place = place.parent
        return shutil.disk_usage(place).free

    def check_disk(self) -> None:
        """`ResourceError` where not even two checkpoints fit: there must be an old one while a new one is written."""
        if self.disk_free < 2 * self.checkpoint_bytes:
            raise ResourceError(
                f"{self.folder}: the disk has {_bytes(self.disk_free)} free, wanted {_bytes(2 * self.checkpoint_bytes)}"
                " for two checkpoints; free space or choose another place"
            )

    def guesses(self) -> dict[str, float]:
        """Seconds per kind of work before any was measured."""
        heard = self.seconds_to_hear / (self.batch * self.chunk_len) * self.sample_rate
        return {
            "step": self.seconds_per_step,
            "validation": heard * self.validate_seconds,
            "preview": self.seconds_to_preview,
            "judging": heard * 60 * self.held_out,
        }

    def __str__(self) -> str:
        left_out = f" ({self.silent} silent ones left out)" if self.silent else ""
        per_second = self.batch * self.chunk_len / self.seconds_per_step
        passes = (self.steps - self.step) / self.steps_per_epoch
        parts = [
            f"{self.minutes:.1f} min of music in {self.chunks} chunks{left_out}, {self.held_out:.1f} min held out",
            f"{self.parameters / 1e6:.2f} M parameters on {self.device} in {self.precision}, about "
            f"{_bytes(self.memory_bytes)} of memory, {_bytes(self.memory_free)} more are free",
            f"batch {self.batch} x {self.chunk_len} samples{self._shares()}, {per_second:,.0f} samples/s = "
            f"{per_second / self.sample_rate:.1f}x real time",
            f"{self.steps - self.step:,} steps = {passes:.1f} passes, about {duration(self.seconds)}; "
            f"first preview in about {duration(self._first_preview())}",
            f"disk: about {_bytes(self.disk_bytes)} for {self.keep + 2} checkpoints, {_bytes(self.disk_free)} are free",
            f"NLL of guessing: uniform {self.uniform:.2f}, order-0 {self.order0:.2f} bits per sample",
        ]
        return "\n".join(parts)

    def _shares(self) -> str:
        """How a batch is taken, where that needs saying."""
        pieces = f" in {self.pieces} pieces" if self.pieces > 1 else ""
        return pieces + (f" by {self.processes} processes" if self.processes > 1 else "")

    def _first_preview(self) -> float:
        steps = min(self.preview_every - self.step % self.preview_every, self.steps - self.step)
        return min(steps * self.seconds_per_step, self.seconds)


class Display:
    """Prints plan, progress and events. `stream` is stderr unless given."""

    def __init__(self, plan: Plan, stream: typing.TextIO | None = None) -> None:
        self.plan, self._stream = plan, stream if stream is not None else sys.stderr
        self._live = self._stream.isatty()
        self._began = self._shown = time.monotonic()
        self._first = plan.step
        self.trained = float("nan")  # bits, a running mean
        self._val, self._previews = float("nan"), ""
        self.say(str(plan))

    def step(self, step: int, nll: float, left: Callable[[int], float]) -> None:
        """After every step; `nll` in bits; `left` forecasts the seconds from after a step to the end."""
        self.trained = nll if step == self._first + 1 else 0.98 * self.trained + 0.02 * nll
        now = time.monotonic()
        if now - self._shown >= _EVERY[self._live]:
            self._shown = now
            self._put(self.line(step, now, left(step)), final=False)

    def line(self, step: int, now: float, left: float) -> str:
        """`step 400/1,500 27% | loss 6.41 bits (val 6.44; uniform 8.00, order-0 7.51) | ...`"""
        plan, took = self.plan, max(now - self._began, 1e-9)
        done = step - self._first
        rate = done * plan.batch * plan.chunk_len / took
        share = step / plan.steps
        if plan.hours is not None:
            over = plan.spent + took / 3600
            left, share = min(left, 3600 * (plan.hours - over)), max(share, min(1.0, over / plan.hours))
        held = memory.current(torch.device(plan.device))
        heard = "not yet" if math.isnan(self._val) else f"{self._val:.2f}"
        parts = [
            f"step {step:,}/{plan.steps:,} {share:.0%}",
            f"loss {self.trained:.2f} bits (val {heard}; uniform {plan.uniform:.2f}, order-0 {plan.order0:.2f})",
            f"{rate:,.0f} samples/s = {rate / plan.sample_rate:.1f}x",
            *([_bytes(held)] if held else []),
            f"ETA {duration(max(left, 0.0))}",
            *([self._previews] if self._previews else []),
        ]
        return " | ".join(parts)

    def validated(self, step: int, nll: float, best: bool) -> None:
        self._val = nll
        under = self.plan.order0 - nll
        note = f"{under:.2f} under order-0" if under > 0 else f"{-under:.2f} over order-0: not learning yet"
        self.say(f"step {step:,}: validation {nll:.3f} bits, {note}{', best so far' if best else ''}")

    def previewed(self, step: int, verdicts: list[str]) -> None:
        good = sum(v == "ok" for v in verdicts)
        self._previews = f"health ok {good}/{len(verdicts)} previews"
        for number, verdict in enumerate(verdicts):
            if verdict != "ok":
                self.say(f"step {step:,}: preview {number} is {verdict}")

    def advise(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self.say(f"note: {sentence}")

    def say(self, text: str) -> None:
        """Something that stays on the screen."""
        self._put(text, final=True)

    def _put(self, text: str, final: bool) -> None:
        if self._live and not final:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be rewritten
            self._stream.write(f"\r\x1b[K{text[:width]}")
        elif self._live:
            self._stream.write(f"\r\x1b[K{text}\n")
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


class Silent(Display):
    """Knows all that, and says nothing."""

    def _put(self, text: str, final: bool) -> None:
        pass


def duration(seconds: float) -> str:
    """`45 s`, `6 m 20 s`, `17 h 40 m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def _bytes(n: int) -> str:
    return f"{n / 2**30:.1f} GB" if n >= 2**30 else f"{n / 2**20:.0f} MB"
