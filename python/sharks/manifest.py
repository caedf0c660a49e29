"""What a folder of clips remembers: manifest.jsonl, one JSON object per clip.

A line holds everything that a clip is a function of (pack, seed, stream, temperature, primer, start, condition) and
what played it, so that any clip can be made again, or longer. The file is replaced whole, never left half-written.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing
from collections.abc import Iterable

from .atomic import atomically
from .errors import AudioError

NAME = "manifest.jsonl"


@dataclasses.dataclass(frozen=True)
class Clip:
    """One line. `samples` counts the free samples that were finished; 0 while the clip is being made."""

    file: str  # a name in the same folder
    stream: int
    seed: int
    temperature: float | list[list[float]]  # or points [[seconds, value], ...]
    samples: int
    sample_rate: int
    pack: str | None  # a path, relative to the folder
    pack_sha256: str
    device: str
    dtype: str
    isa: str
    plan: str
    primer_sha256: str | None = None  # of its levels, int32 little-endian; see clips.py
    primer_included: bool = False  # the file begins with it
    start: str | None = None
    condition: int | list[float] | None = None

    def same_music(self, other: Clip) -> bool:
        """Whether both are the same clip, of whatever length: made from the same things, in the same way."""
        return not self.difference(other)

    def difference(self, other: Clip) -> str:
        """The first thing in which `other` differs, in words; empty where nothing does."""
        for field in dataclasses.fields(self):
            mine, its = getattr(self, field.name), getattr(other, field.name)
            if mine != its and field.name not in ("samples", "pack"):
                return f"{field.name} is {its!r:.40}, not {mine!r:.40}"
        return ""


def read(folder: str | os.PathLike[str]) -> dict[str, Clip]:
    """The clips of a folder by file name, none where there is no manifest; `AudioError` for a line that is no clip."""
    path = pathlib.Path(folder) / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AudioError(f"{path}: cannot be read ({error}); repair or remove it") from None
    clips = {}
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            clip = Clip(**values)
            _check(clip)
        except (ValueError, TypeError, RecursionError) as error:
            raise AudioError(f"{path}: line {number} does not describe a clip ({error}); repair or remove it") from None
        clips[clip.file] = clip
    return clips


def write(folder: str | os.PathLike[str], clips: Iterable[Clip]) -> None:
    """Add clips to a folder's manifest, in place of those of the same file name."""
    known = read(folder) | {clip.file: clip for clip in clips}
    with atomically(pathlib.Path(folder) / NAME) as file:
        for _, clip in sorted(known.items()):
            file.write(json.dumps(dataclasses.asdict(clip), allow_nan=False).encode() + b"\n")


def _check(clip: Clip) -> None:
    """ValueError where a value is not of its kind. What the music makes of it is judged where it is played."""
    hints = typing.get_type_hints(Clip)
    for field in dataclasses.fields(clip):
        value = getattr(clip, field.name)
        kinds = typing.get_args(hints[field.name]) or (hints[field.name],)
        if not isinstance(value, tuple(typing.get_origin(kind) or kind for kind in kinds)):
            raise ValueError(f"{field.name} is {str(value)[:40]!r}")
    if pathlib.PurePath(clip.file).name != clip.file:
        raise ValueError(f"{clip.file[:40]!r} is not a name in this folder")
