"""What a musician sees while a model learns: the plan before it starts, and one line that says whether it does."""

from __future__ import annotations

import contextlib
import math
import pathlib
import time

import torch

from ... import terminal
from ...terminal.units import duration, in_bytes
from ..step import memory
from .forecast import Forecast
from .listener import Listener
from .run_facts import RunFacts


class Display(Listener):
    """Prints plan, progress and events, on the terminal that all verbs write to unless another is given."""

    def __init__(self, plan: RunFacts, forecast: Forecast, where: terminal.Terminal | None = None) -> None:
        self.plan, self._forecast = plan, forecast
        self._terminal = terminal.stderr() if where is None else where
        self._began = time.monotonic()
        self._first = plan.step
        self.trained = float("nan")  # bits, a running mean
        self._val, self._previews = float("nan"), ""
        self.say(str(plan))

    def learnt(self, step: int, nll: float, rate: float) -> None:
        self.trained = nll if step == self._first + 1 else 0.98 * self.trained + 0.02 * nll
        self._show(*self.parts(step, time.monotonic(), self._forecast))

    def parts(self, step: int, now: float, forecast: Forecast) -> list[str]:
        """`ETA 7 m 30 s`, `10% of 1,000 steps`, `loss 7.00 bits, guessing 7.57, held-out 6.44`, ..."""
        plan, music, train = self.plan, self.plan.music, self.plan.train
        took = max(now - self._began, 1e-9)
        done = step - self._first
        rate = done * train.batch * train.chunk_len / took
        share, whole = step / train.steps, f"{train.steps:,} steps"
        left = forecast.left(step)
        if plan.hours is not None:
            over = plan.spent + took / 3600
            left = forecast.left(step, 3600 * (plan.hours - over))
            if over / plan.hours > share:
                share, whole = min(1.0, over / plan.hours), duration(3600 * plan.hours)
        held = memory.current(torch.device(plan.device))
        heard = "" if math.isnan(self._val) else f", held-out {self._val:.2f}"
        return [
            f"ETA {duration(max(left, 0.0))}",
            f"{int(100 * share)}% of {whole}",
            f"loss {self.trained:.2f} bits, guessing {music.order0:.2f}{heard}",
            *([self._previews] if self._previews else []),
            f"{rate / music.rate:.1f}x real time",
            *([in_bytes(held)] if held else []),
        ]

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        self._val = nll
        praise = ", the best so far" if best and self.plan.train.best == "held-out" else ""
        self.say(f"step {step:,}: {self._learning(nll)}{praise}")

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
            f"best.safetensors is step {best:,}: on all held-out music {self._learning(nll).removeprefix('learning: ')}"
        )

    def _learning(self, nll: float) -> str:
        """In plain words first, with the field's behind them."""
        guessing = self.plan.music.order0
        numbers = f"({nll:.3f} bits per {self.plan.music.unit}, guessing {guessing:.2f})"
        if nll < guessing:
            return f"learning: {guessing - nll:.2f} bits better than guessing {numbers}"
        return f"not learning yet: {nll - guessing:.2f} bits worse than guessing {numbers}"

    def advise(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self.say(f"note: {sentence}")

    def say(self, sentence: str) -> None:
        """It stays on the screen."""
        self._terminal.say(sentence)

    @staticmethod
    def busy(what: str) -> contextlib.AbstractContextManager[None]:
        """While work goes on that nobody tells of otherwise."""
        return terminal.stderr().busy(what)

    def _show(self, *parts: str) -> None:
        self._terminal.show(*parts)


class Silent(Display):
    """Knows all that, and says nothing."""

    def say(self, sentence: str) -> None:
        pass

    @staticmethod
    def busy(what: str) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def _show(self, *parts: str) -> None:
        pass
