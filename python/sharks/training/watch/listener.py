"""What there is to be told of a training, and who is told. The events, in their order, are in loop.py."""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import Iterator


class Listener:
    """One that watches a training: it overrides the events that it wants to hear of. It decides nothing.

    NLL in bits per sample. What a listener raises ends the training, so what is not worth that it keeps to itself.
    """

    def learnt(self, step: int, nll: float, rate: float) -> None:
        """A step was taken, with a learning rate; its batch had cost `nll` before it."""

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        """What the held-out music, and each track of it, costs by now; whether this will be the best checkpoint."""

    def stepped(self, step: int, last: bool) -> None:
        """All of a step is done but its save; `last`: the training ends with it."""

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        """There are new clips in `folder`, with a verdict on each."""

    def saving(self, step: int) -> None:
        """A checkpoint comes next: what it must not be ahead of has to be on the disk when this returns."""

    def judged(self, step: int, best: int, nll: float, tracks: dict[str, float]) -> None:
        """After the last step: what the checkpoint of step `best` comes to on all held-out music, and on each track."""

    def took(self, kind: str, seconds: float) -> None:
        """How long one "step", "validation", "preview" or "save" took."""

    def say(self, sentence: str) -> None:
        """Something for people to read."""

    def close(self) -> None:
        """Nothing comes any more, for whatever reason."""


class Listeners(Listener):
    """Tells every event to all, in the order in which they were added."""

    def __init__(self, *listeners: Listener) -> None:
        self._all = list(listeners)

    def add(self, *listeners: Listener) -> None:
        self._all += listeners

    @contextlib.contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Tell how long the work inside `took`, unless it fails."""
        began = time.monotonic()
        yield
        self.took(kind, time.monotonic() - began)

    def learnt(self, step: int, nll: float, rate: float) -> None:
        for listener in self._all:
            listener.learnt(step, nll, rate)

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        for listener in self._all:
            listener.validated(step, nll, tracks, best)

    def stepped(self, step: int, last: bool) -> None:
        for listener in self._all:
            listener.stepped(step, last)

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        for listener in self._all:
            listener.previewed(step, folder, verdicts)

    def saving(self, step: int) -> None:
        for listener in self._all:
            listener.saving(step)

    def judged(self, step: int, best: int, nll: float, tracks: dict[str, float]) -> None:
        for listener in self._all:
            listener.judged(step, best, nll, tracks)

    def took(self, kind: str, seconds: float) -> None:
        for listener in self._all:
            listener.took(kind, seconds)

    def say(self, sentence: str) -> None:
        for listener in self._all:
            listener.say(sentence)

    def close(self) -> None:
        """The last one first; each of them, even if another cannot be closed."""
        with contextlib.ExitStack() as closing:
            for listener in self._all:
                closing.callback(listener.close)
