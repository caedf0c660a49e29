"""Bookmarks: where clips that are being made can go on, so that a long one need not be played again from its start.

    0000.state.safetensors      beside 0000.wav, the first of the clips that are played side by side

It holds the players' state, and the digest of every WAV up to that place. A bookmark saves time and decides nothing: it
is used only for just these clips, and where each WAV still begins as it did; else they are played from their start, and
the result is the same. It goes when the clips are finished.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import typing
from collections.abc import Sequence

from .. import __version__
from ..clips.manifest import Clip
from ..engine.door import State
from ..errors import PackError
from ..files.tensorfile import TensorFile, write

EVERY = 60.0  # seconds of work
SLOW = 3.0  # seconds: one that takes longer, with the states of many streams, is set as much more seldom
_FORMAT = f"sharks bookmark 1, {__version__}"  # another engine may play other bits


class Bookmark(typing.NamedTuple):
    """`state` of the streams after the last sample that `digests` (of `WavWriter`, one per clip) cover."""

    state: State
    digests: list[str]

    @property
    def step(self) -> int:
        """How many free samples every clip has."""
        return int(self.state["step"][0])


def path_of(wav: pathlib.Path) -> pathlib.Path:
    """Where the bookmark of clips lies of which this is the first."""
    return wav.with_suffix(".state.safetensors")


def save(path: pathlib.Path, clips: Sequence[Clip], bookmark: Bookmark) -> None:
    """Write a bookmark in place of the one before: whole, or not at all. `ResourceError` where the disk refuses."""
    facts = {"format": _FORMAT, "clips": _digest(clips), "wavs": json.dumps(bookmark.digests)}
    write(path, bookmark.state, facts)


def find(path: pathlib.Path, clips: Sequence[Clip]) -> Bookmark | None:
    """The bookmark of just these clips, as long as they or shorter; None where there is none, or none that is whole."""
    try:
        with TensorFile(path) as file:
            if file.metadata.get("format") != _FORMAT or file.metadata.get("clips") != _digest(clips):
                return None
            state = {name: file.read(name) for name in file.layout}
            bookmark = Bookmark(state, json.loads(file.metadata["wavs"]))
            return bookmark if bookmark.step <= min(clip.samples for clip in clips) else None
    except (PackError, LookupError, ValueError):
        return None


def _digest(clips: Sequence[Clip]) -> str:
    """Of everything that clips are made of, their lengths aside."""
    return hashlib.sha256(json.dumps([clip.origin() for clip in clips]).encode()).hexdigest()
