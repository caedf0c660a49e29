"""A stream to which writing never fails: words that nobody can read are no reason to lose work."""

from __future__ import annotations

import contextlib
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
