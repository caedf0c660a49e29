"""What a musician sees while a model learns: the plan before it starts, and one line that says whether it does.

On a terminal the line is rewritten in place; elsewhere a line is printed now and then. All of it goes to stderr.
"""

from __future__ import annotations

import math
import shutil
import sys
import time
import typing
from dataclasses import dataclass

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
    batch: int
    chunk_len: int
    sample_rate: int
    step: int  # where it begins
    steps: int
    steps_per_epoch: float
    hours: float | None  # the budget, if there is one
    seconds_per_step: float  # as rehearsed
    device: str
    uniform: float  # bits
    order0: float  # bits

    @property
    def seconds(self) -> float:
        """How long the rest will take."""
        rest = (self.steps - self.step) * self.seconds_per_step
        return rest if self.hours is None else min(rest, self.hours * 3600)

    def __str__(self) -> str:
        left_out = f" ({self.silent} silent ones left out)" if self.silent else ""
        per_second = self.batch * self.chunk_len / self.seconds_per_step
        passes = (self.steps - self.step) / self.steps_per_epoch
        parts = [
            f"{self.minutes:.1f} min of music in {self.chunks} chunks{left_out}, {self.held_out:.1f} min held out",
            f"{self.parameters / 1e6:.2f} M parameters on {self.device}, about {_bytes(self.memory_bytes)}",
            f"batch {self.batch} x {self.chunk_len} samples, {per_second:,.0f} samples/s = "
            f"{per_second / self.sample_rate:.1f}x real time",
            f"{self.steps - self.step:,} steps = {passes:.1f} passes, about {duration(self.seconds)}",
            f"NLL of guessing: uniform {self.uniform:.2f}, order-0 {self.order0:.2f} bits per sample",
        ]
        return "\n".join(parts)


class Display:
    """Prints plan, progress and events. `stream` is stderr unless given."""

    def __init__(self, plan: Plan, stream: typing.TextIO | None = None) -> None:
        self.plan, self._stream = plan, stream if stream is not None else sys.stderr
        self._live = self._stream.isatty()
        self._began = self._shown = time.monotonic()
        self._first = plan.step
        self._nll, self._val, self._previews = float("nan"), float("nan"), ""
        self.say(str(plan))

    def step(self, step: int, nll: float) -> None:
        """After every step; `nll` in bits."""
        self._nll = nll if step == self._first + 1 else 0.98 * self._nll + 0.02 * nll
        now = time.monotonic()
        if now - self._shown >= _EVERY[self._live]:
            self._shown = now
            self._put(self.line(step, now), final=False)

    def line(self, step: int, now: float) -> str:
        """`step 400/1,500 27% | loss 6.41 bits (val 6.44; uniform 8.00, order-0 7.51) | ...`"""
        plan, took = self.plan, max(now - self._began, 1e-9)
        done = step - self._first
        rate = done * plan.batch * plan.chunk_len / took
        left = (plan.steps - step) * took / max(done, 1)
        left = left if plan.hours is None else min(left, plan.hours * 3600 - took)
        heard = "not yet" if math.isnan(self._val) else f"{self._val:.2f}"
        parts = [
            f"step {step:,}/{plan.steps:,} {step / plan.steps:.0%}",
            f"loss {self._nll:.2f} bits (val {heard}; uniform {plan.uniform:.2f}, order-0 {plan.order0:.2f})",
            f"{rate:,.0f} samples/s = {rate / plan.sample_rate:.1f}x",
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
