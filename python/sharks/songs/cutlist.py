"""cuts.json: how every song beside it was made; and by it, which songs are ours to write over.

    {"songs": [...], "dropped": [...], "earlier": [...]}

`earlier` has the entries of songs that an earlier call wrote and this one left alone; most lists have none.
"""

from __future__ import annotations

import json
import math
import pathlib
import typing
from collections.abc import Iterable

from ..errors import AudioError, UsageError
from ..files.atomic import atomically
from ..sound.reading import read_audio
from .loudness import integrated, true_peak

NAME = "cuts.json"

Entry = dict[str, typing.Any]  # of a song; its name is "file"

_SECONDS, _DECIBELS = 0.001, 0.05  # within which a song is as its entry has it: 16 bits and two digits need no more


def names(songs: int) -> list[str]:
    """The file names of so many songs."""
    return ["song.wav"] if songs == 1 else [f"song-{i:02d}.wav" for i in range(1, songs + 1)]


def read(folder: pathlib.Path) -> list[Entry]:
    """The entries of all songs that curation ever wrote into a folder; `UsageError` for a list of somebody else."""
    path = folder / NAME
    try:
        table = json.loads(path.read_bytes())
        entries = [*table["songs"], *table.get("earlier", [])]
        if not all(isinstance(entry["file"], str) for entry in entries):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise UsageError(f"{path}: is no list of cuts that sharks wrote; choose another folder") from None
    return entries


def write(folder: pathlib.Path, songs: Iterable[Entry], dropped: Iterable[Entry], earlier: Iterable[Entry]) -> None:
    """Replace the cut list of a folder, whole or not at all."""
    table = {"songs": list(songs), "dropped": list(dropped), "earlier": list(earlier)}
    if not table["earlier"]:
        del table["earlier"]
    with atomically(folder / NAME) as file:
        file.write(json.dumps(table, indent=1).encode() + b"\n")


def refuse_others(folder: pathlib.Path, wanted: Iterable[str]) -> None:
    """`UsageError` where a song of one of these names is not ours, or was changed since we wrote it."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; wanted a folder for the songs")
    entries = read(folder)
    for path in (folder / name for name in wanted):
        ours = [entry for entry in entries if entry["file"] == path.name]
        for file in (path, path.with_suffix(".png")):
            if file.exists() and not ours:
                raise UsageError(f"{file}: is there already, and in no cut list; move it, or choose another folder")
        if path.exists() and not _is_as_written(path, ours):
            raise UsageError(f"{path}: was changed since sharks wrote it; move it, or choose another folder")


def _is_as_written(path: pathlib.Path, entries: list[Entry]) -> bool:
    """Whether a file sounds as one of the entries says: as long, as loud, and with the same peak."""
    try:
        samples, rate = read_audio(path)
    except AudioError:
        return False
    loudness = integrated(samples, rate)
    found = {
        "seconds": samples.shape[1] / rate,
        "loudness": loudness if math.isfinite(loudness) else None,
        "true_peak": true_peak(samples, rate),
    }
    return any(all(_near(name, value, entry.get(name)) for name, value in found.items()) for entry in entries)


def _near(name: str, found: float | None, written: typing.Any) -> bool:
    if found is None or written is None:
        return found is written
    return abs(found - written) <= (_SECONDS if name == "seconds" else _DECIBELS)
