"""Whole streams one behind the other, as Icecast records and `cat` makes them: chained Ogg (RFC 3533), joined FLAC."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator

from .spliced import Part, Spliced

_BEGIN = re.compile(
    # A page that begins a stream, then its serial number and the like, its table of lacings, a codec's first packet.
    rb"OggS\x00[\x02\x06].{20}\x01.(\x01vorbis|OpusHead|\x7fFLAC|Speex   )"
    rb"|fLaC[\x00\x80]\x00\x00\x22",  # and the block that every FLAC begins with
    re.DOTALL,
)
_LONGEST = 40  # bytes that the pattern spans
_CHUNK = 1 << 20


def parts(raw: typing.BinaryIO, start: int, size: int, alive: Callable[[], None]) -> list[Part]:
    """A file for each stream; none where there is but one."""
    begins = list(_beginnings(raw, start, size, alive))
    if len(begins) < 2:
        return []
    ends = [*begins[1:], size]
    return [Part(Spliced(raw, [(a, b)])) for a, b in zip(begins, ends, strict=True)]


def _beginnings(raw: typing.BinaryIO, start: int, size: int, alive: Callable[[], None]) -> Iterator[int]:
    """Where each stream begins."""
    at = start
    while at < size:
        alive()
        raw.seek(at)
        block = raw.read(_CHUNK + _LONGEST)
        if not block:
            return
        yield from (at + found.start() for found in _BEGIN.finditer(block) if found.start() < _CHUNK)
        at += _CHUNK
