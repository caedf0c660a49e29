"""Streams to which writing never fails: words that nobody can read are no reason to lose work."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import typing


def unfailing(stream: typing.TextIO) -> typing.TextIO:
    """`stream`, but what its terminal or pipe no longer takes is lost without a word.

    A terminal is gone when its window is closed or the connection drops; a pipe when whoever read it has ended.
    """
    return (
        stream if stream is None or isinstance(stream, _Unfailing) else typing.cast(typing.TextIO, _Unfailing(stream))
    )


class _Unfailing:
    def __init__(self, stream: typing.TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._stream, name)


def open_what_is_closed() -> None:
    """Without stdout or stderr, as daemons start, words go nowhere; a letter that a terminal lacks is escaped."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, so that no file of ours does
            setattr(sys, name, open(os.devnull, mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
