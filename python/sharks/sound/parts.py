"""Where the music lies in a file: libsndfile stops at the end of what the first header names, musicians' files do not.

Joined MP3s and FLACs, chained Ogg, a header that a crashed recorder left behind: each part becomes a file of its own
(`Spliced`) that libsndfile reads whole. Most files are one part, which is the file itself.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Callable

from . import chained, chunks, id3, mpeg
from .spliced import Part, Spliced

_NO_TAG_BEFORE = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"riff", b"caff", b".snd", b"OggS")  # to libsndfile


def parts_of(raw: typing.BinaryIO, alive: Callable[[], None]) -> list[Part]:
    """The parts of a file, in order, at least one. `alive` is called now and then, as long files take a while."""
    start, size = id3.behind(raw), raw.seek(0, os.SEEK_END)
    raw.seek(start)
    first = raw.read(64)
    if mpeg.parse(first) is not None:
        found = mpeg.parts(raw, start, size, alive) or [Part(raw)]
    elif first.startswith((b"OggS", b"fLaC")):
        found = chained.parts(raw, start, size, alive)
    else:
        found = chunks.parts(raw, start, size)
    raw.seek(0)
    untagged = start and first.startswith(_NO_TAG_BEFORE)
    return found or [Part(Spliced(raw, [(start, size)]) if untagged else raw)]
