"""A file made of stretches of another one and of bytes of our own, which decoders read as if it lay on the disk."""

from __future__ import annotations

import bisect
import io
import itertools
import typing
from collections.abc import Sequence
from dataclasses import dataclass

Extent = bytes | tuple[int, int]  # bytes of our own, or from offset to offset of the other file


class Spliced(io.RawIOBase):
    """`raw`, but only these stretches of it, one after the other. Closing it leaves `raw` open."""

    def __init__(self, raw: typing.BinaryIO, stretches: Sequence[Extent]) -> None:
        self._raw = raw
        self._stretches = [s for s in stretches if (len(s) if isinstance(s, bytes) else s[1] > s[0])]
        lengths = (len(s) if isinstance(s, bytes) else s[1] - s[0] for s in self._stretches)
        self._starts = [0, *itertools.accumulate(lengths)]
        self._at = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, len(self))[whence])
        return self._at

    def readinto(self, buffer: typing.Any) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._at < len(self):
            number = bisect.bisect_right(self._starts, self._at) - 1
            stretch, within = self._stretches[number], self._at - self._starts[number]
            count = min(len(view) - filled, self._starts[number + 1] - self._at)
            if isinstance(stretch, bytes):
                found = stretch[within : within + count]
            else:
                self._raw.seek(stretch[0] + within)
                found = self._raw.read(count)
            if not found:
                break
            view[filled : filled + len(found)] = found
            filled += len(found)
            self._at += len(found)
        return filled


@dataclass
class Part:
    """A file with a header of its own that libsndfile reads whole, and what is to be said about it.

    `frames`: how many samples per channel it must hold, where its bytes tell better than the decoder's guess.
    """

    file: typing.Any
    frames: int | None = None
    note: str = ""


def patched(size: int, changes: dict[int, bytes], start: int = 0) -> list[Extent]:
    """The stretches of a file from `start` to `size` with other bytes at some offsets."""
    stretches: list[Extent] = []
    for offset, new in sorted(changes.items()):
        stretches += [(start, offset), new]
        start = offset + len(new)
    return [*stretches, (start, size)]
