"""Which music is learnt from and which is held out, by whole songs."""

from __future__ import annotations

import hashlib
import pathlib
import typing
from collections.abc import Sequence

from ..errors import UsageError, did_you_mean
from .pieces import Piece
from .sources import Source

LAST_PART = 0.1  # of an only song, for validation


class Stretch(typing.NamedTuple):
    """The samples `first` to `last` of a piece, and the split they go to."""

    piece: Piece
    split: str
    first: int
    last: int


def split(
    songs: list[list[Piece]], fraction: float, val_tracks: Sequence[str], skipped: list[tuple[str, str]]
) -> list[Stretch]:
    """Where every sample goes. `songs` holds the pieces of each file: its channels stay together, or the split leaks.

    `val_tracks` names the songs held out; else they are drawn until they make up `fraction` of the music, at least one.
    An only song gives its last tenth; a fraction of 0 holds out nothing.
    """
    if val_tracks:
        held = {_named(wanted, songs, skipped) for wanted in val_tracks}
        if len(held) == len(songs):
            raise UsageError("val_tracks names every song; leave at least one to train on")
    elif fraction and len(songs) > 1:
        held = hold_out([sum(piece.facts["length"] for piece in song) for song in songs], fraction, _order(songs))
    elif fraction:
        return [share for piece in songs[0] for share in _parted(piece)]
    else:
        held = set()
    return [
        Stretch(piece, "val" if number in held else "train", 0, piece.facts["length"])
        for number, song in enumerate(songs)
        for piece in song
    ]


def hold_out(lengths: list[int], fraction: float, order: Sequence[int]) -> set[int]:
    """Songs in the given order, passing over those that would hold out more than 1.5 times the fraction.

    Never all; where none fits, the shortest one.
    """
    wanted, total = fraction * sum(lengths), 0
    held: set[int] = set()
    for number in order:
        if total < wanted and total + lengths[number] <= 1.5 * wanted and len(held) < len(lengths) - 1:
            held.add(number)
            total += lengths[number]
    return held or {min(order, key=lambda number: lengths[number])}


def check_names(val_tracks: Sequence[str], sources: list[Source]) -> None:
    """Complain about a misspelt song before hours of decoding."""
    for wanted in val_tracks:
        if not any(_means(wanted, source.name) for source in sources):
            near = did_you_mean(wanted, [pathlib.PurePosixPath(source.name).name for source in sources])
            raise UsageError(f"val_tracks names {wanted!r}, which is not there{near}")


def _order(songs: list[list[Piece]]) -> list[int]:
    """As good as drawn by lot, but always the same for the same samples, whatever the files are called."""
    lots = [hashlib.sha256("".join(piece.facts["sha256"] for piece in song).encode()).digest() for song in songs]
    return sorted(range(len(songs)), key=lambda number: lots[number])


def _parted(piece: Piece) -> tuple[Stretch, Stretch]:
    length = piece.facts["length"]
    cut = length - max(1, round(LAST_PART * length))
    return Stretch(piece, "train", 0, cut), Stretch(piece, "val", cut, length)


def _named(wanted: str, songs: list[list[Piece]], skipped: list[tuple[str, str]]) -> int:
    """The number of the song that `wanted` means."""
    for number, song in enumerate(songs):
        if _means(wanted, song[0].song):
            return number
    reason = next(reason for name, reason in skipped if _means(wanted, name.partition(" channel ")[0]))
    raise UsageError(f"val_tracks names {wanted!r}, but it cannot be used: {reason}")


def _means(wanted: str, name: str) -> bool:
    """Whether `wanted` is a song's name, its file name, or that without suffix."""
    path = pathlib.PurePosixPath(name)
    return wanted in (name, path.name, path.stem)
