"""Progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
import time
import typing
from collections.abc import Callable

from .values import shown_duration

BAR = 20  # characters
LIVE_EVERY = 0.1  # seconds between renewals of a line on a terminal
LOG_FIRST, LOG_EVERY = 10.0, 60.0  # seconds until the first line in a log, and from there to the next

_unfinished: list[Progress] = []  # the line on which the terminal's cursor stands


def say(text: str) -> None:
    """A line on stderr: what is happening."""
    if _unfinished:
        _unfinished[0].end()
    print(text, file=sys.stderr, flush=True)


def answer(text: str, values: dict[str, typing.Any], as_json: bool) -> None:
    """The result on stdout: for people, or one JSON object for machines."""
    if _unfinished:
        _unfinished[0].end()
    print(json.dumps(values, default=str, allow_nan=False) if as_json else text, flush=True)


def asks(question: str) -> Callable[[str], bool] | typing.Literal[False]:
    """Who is asked "SENTENCE; QUESTION [y/N]" on a terminal; elsewhere nobody is, and the answer is no."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        return False

    def ask(sentence: str) -> bool:
        say(f"{sentence}; {question} [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


class Progress:
    """One line that is renewed: in place on a terminal, once a minute in a log."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._next: float | None = None
        self._width = 0

    def __call__(self, line: str) -> None:
        now = time.monotonic()
        if self._next is None:
            self._next = now + (0 if self._live else LOG_FIRST)
        if now < self._next:
            return
        self._next = now + (LIVE_EVERY if self._live else LOG_EVERY)
        if not self._live:
            say(line)
            return
        _unfinished[:] = [self]
        print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def last(self, line: str) -> None:
        """The line that stays, in the place of the one that was renewed."""
        if self in _unfinished:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr)
            _unfinished.clear()
        say(line)

    def end(self) -> None:
        """Leave the line as it stands."""
        _unfinished.clear()
        print(file=sys.stderr)


def bar(done: float, total: float) -> str:
    filled = round(BAR * min(1.0, done / total)) if total else BAR
    return f"[{'#' * filled}{' ' * (BAR - filled)}]"


def audio_line(done: float, total: float, speed: float, streams: int) -> str:
    """Seconds of each stream so far, of how many, and x real time per stream: what is made, how fast, until when."""
    left = (total - done) / speed if speed > 0 else 0.0
    return (
        f"{bar(done, total)} {shown_duration(done * streams)} / {shown_duration(total * streams)} audio"
        f" | {speed * streams:.1f}x real time, {streams} streams | ETA {shown_duration(left)}"
    )
