"""Progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
import typing
from collections.abc import Callable

from .. import terminal
from ..terminal.units import duration


def say(text: str) -> None:
    """A line on stderr: what is happening."""
    terminal.stderr().say(text)


def begins(text: str) -> None:
    """A line on stderr, and below it the sign that something goes on, until that speaks for itself."""
    with terminal.stderr().busy("working"):
        say(text)


def last(text: str) -> None:
    """The line that stays, in the place of the one that was renewed."""
    terminal.stderr().last(text)


def answer(text: str, values: dict[str, typing.Any], as_json: bool) -> None:
    """The result on stdout: for people, or one JSON object for machines."""
    terminal.stderr().end()
    if not as_json and sys.stdout.isatty():  # in a pipe, a name is given as it is
        text = "\n".join(map(terminal.plain, text.split("\n")))
    print(json.dumps(values, default=str, allow_nan=False) if as_json else text, flush=True)


def asks(question: str) -> Callable[[str], bool] | None:
    """Who is asked "SENTENCE; QUESTION [y/N]" on a terminal; None elsewhere, where nobody is."""
    if not (sys.stdin and sys.stdin.isatty() and terminal.stderr().live):
        return None

    def ask(sentence: str) -> bool:
        say(f"{sentence}; {question} [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


def of_files(done: int, total: int, name: str) -> None:
    """How far a folder of music has come, and what is being read."""
    terminal.stderr().show(f"{percent(done, total)} of {total:,} files", name)


def of_clips(done: int, total: int) -> None:
    terminal.stderr().show(f"{percent(done, total)} of {total:,} clips heard")


def of_audio(streams: int) -> Callable[[float, float, float], None]:
    """Who is told seconds of each stream so far, of how many, and x real time per stream."""

    def show(done: float, total: float, speed: float) -> None:
        left = f"ETA {duration((total - done) / speed)}" if speed > 0 else "begins"
        terminal.stderr().show(
            left,
            f"{percent(done, total)} of {duration(total * streams)} of audio",
            f"{speed * streams:.1f}x real time",
            f"{streams} at once" if streams > 1 else "one clip",
        )

    return show


def percent(done: float, total: float) -> str:
    """Rounded down: all of it is 100 % only at the end."""
    return f"{int(100 * min(1.0, done / total)) if total else 100}%"
