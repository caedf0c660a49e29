"""What a musician sees while a model learns: the plan before it starts, and one line that says whether it does.

On a terminal the line is rewritten in place; elsewhere a line is printed now and then. All of it goes to stderr.
"""

from __future__ import annotations

import contextlib
import math
import pathlib
import shutil
import sys
import time
import typing

import torch

from ..step import memory
from .forecast import Forecast
from .listener import Listener
from .run_facts import RunFacts, duration, in_bytes

_EVERY = {True: 0.5, False: 30.0}  # seconds between lines, on a terminal and elsewhere


class Display(Listener):
    """Prints plan, progress and events. `stream` is stderr unless given."""

    def __init__(self, plan: RunFacts, forecast: Forecast, stream: typing.TextIO | None = None) -> None:
        self.plan, self._forecast = plan, forecast
        self._stream = stream if stream is not None else sys.stderr
        self._live = self._stream.isatty()
        self._began = self._shown = time.monotonic()
        self._first = plan.step
        self.trained = float("nan")  # bits, a running mean
        self._val, self._previews = float("nan"), ""
        self.say(str(plan))

    def learnt(self, step: int, nll: float, rate: float) -> None:
        self.trained = nll if step == self._first + 1 else 0.98 * self.trained + 0.02 * nll
        now = time.monotonic()
        if now - self._shown >= _EVERY[self._live]:
            self._shown = now
            self._put(self.line(step, now, self._forecast.left(step)), final=False)

    def line(self, step: int, now: float, left: float) -> str:
        """`step 400/1,500 27% | loss 6.41 bits (val 6.44; uniform 8.00, order-0 7.51) | ...`"""
        plan, music, train = self.plan, self.plan.music, self.plan.train
        took = max(now - self._began, 1e-9)
        done = step - self._first
        rate = done * train.batch * train.chunk_len / took
        share = step / train.steps
        if plan.hours is not None:
            over = plan.spent + took / 3600
            left, share = min(left, 3600 * (plan.hours - over)), max(share, min(1.0, over / plan.hours))
        held = memory.current(torch.device(plan.device))
        heard = "not yet" if math.isnan(self._val) else f"{self._val:.2f}"
        parts = [
            f"step {step:,}/{train.steps:,} {share:.0%}",
            f"loss {self.trained:.2f} bits (val {heard}; uniform {music.uniform:.2f}, order-0 {music.order0:.2f})",
            f"{rate:,.0f} samples/s = {rate / music.sample_rate:.1f}x",
            *([in_bytes(held)] if held else []),
            f"ETA {duration(max(left, 0.0))}",
            *([self._previews] if self._previews else []),
        ]
        return " | ".join(parts)

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        self._val = nll
        under = self.plan.music.order0 - nll
        note = f"{under:.2f} under order-0" if under > 0 else f"{-under:.2f} over order-0: not learning yet"
        self.say(f"step {step:,}: validation {nll:.3f} bits, {note}{', best so far' if best else ''}")

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        if not self._previews:
            self.say(f"step {step:,}: hear what it has learnt by now in {folder}")
        good = sum(v == "ok" for v in verdicts)
        self._previews = f"health ok {good}/{len(verdicts)} previews"
        for number, verdict in enumerate(verdicts):
            if verdict != "ok":
                self.say(f"step {step:,}: preview {number} is {verdict}")

    def judged(self, step: int, best: int, nll: float, tracks: dict[str, float]) -> None:
        self.say(
            f"best.safetensors is step {best:,}: {nll:.3f} bits on all held-out music, "
            f"{self.plan.music.order0 - nll:.2f} under order-0"
        )

    def advise(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self.say(f"note: {sentence}")

    def say(self, sentence: str) -> None:
        """It stays on the screen."""
        self._put(sentence, final=True)

    def _put(self, text: str, final: bool) -> None:
        if self._live and not final:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be rewritten
            text = f"\r\x1b[K{text[:width]}"
        else:
            text = f"\r\x1b[K{text}\n" if self._live else f"{text}\n"
        with contextlib.suppress(OSError):  # a terminal that is gone does not end a training
            self._stream.write(text)
            self._stream.flush()


class Silent(Display):
    """Knows all that, and says nothing."""

    def _put(self, text: str, final: bool) -> None:
        pass
