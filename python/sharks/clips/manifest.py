"""What a folder of clips remembers: manifest.jsonl, one JSON object per clip.

A line holds everything that a clip is a function of (pack, seed, stream, temperature, primer, start, condition) and
what played it, so that any clip can be made again, or longer. The file is replaced whole, never left half-written.

Processes that share a folder write one each, manifest.0.jsonl, manifest.1.jsonl, ..., and so need not wait for one
another. Reading joins them; the next process that has the folder for itself makes them one file again.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import typing
from collections.abc import Iterable

from ..errors import AudioError
from ..files.atomic import atomically

NAME = "manifest.jsonl"


@dataclasses.dataclass(frozen=True, slots=True)
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

    def origin(self) -> dict[str, typing.Any]:
        """What makes it this clip, of whatever length: what it was made from, and how."""
        return {k: value for k, value in dataclasses.asdict(self).items() if k not in ("samples", "pack")}

    def same_music(self, other: Clip) -> bool:
        return not self.difference(other)

    def difference(self, other: Clip) -> str:
        """The first thing in which the music of `other` differs, in words; empty where nothing does."""
        its = other.origin()
        for name, value in self.origin().items():
            if value != its[name]:
                return f"{name} is {its[name]!r:.40}, not {value!r:.40}"
        return ""


def name(rank: int | None) -> str:
    """The manifest of one of several processes, or of the only one."""
    return NAME if rank is None else f"manifest.{rank}.jsonl"


def read(folder: str | os.PathLike[str]) -> dict[str, Clip]:
    """The clips of a folder by file name, none where there is no manifest; `AudioError` for a line that is no clip.

    Where two processes know a clip, after the work was shared out anew, the longer one is the finished one.
    """
    clips: dict[str, Clip] = {}
    for path in (pathlib.Path(folder) / NAME, *_shared(folder)):
        for file, clip in _read(path).items():
            if file not in clips or clip.samples >= clips[file].samples:
                clips[file] = clip
    return clips


def write(folder: str | os.PathLike[str], clips: Iterable[Clip], rank: int | None = None) -> None:
    """Add clips to a folder's manifest, in place of those of the same file name.

    `rank`: of one of several processes that are writing into the folder, each another; None where there is only this.
    """
    path = pathlib.Path(folder) / name(rank)
    joined = _shared(folder) if rank is None else []
    known = (read(folder) if rank is None else _read(path)) | {clip.file: clip for clip in clips}
    with atomically(path) as file:
        for _, clip in sorted(known.items()):
            file.write(json.dumps(dataclasses.asdict(clip), allow_nan=False).encode() + b"\n")
    for old in joined:
        old.unlink(missing_ok=True)


def _shared(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """The manifests of processes that share or shared a folder."""
    return sorted(pathlib.Path(folder).glob("manifest.*.jsonl"))


def _read(path: pathlib.Path) -> dict[str, Clip]:
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


def _check(clip: Clip) -> None:
    """ValueError where a value is not of its kind. What the music makes of it is judged where it is played."""
    for field, kinds in _kinds().items():
        value = getattr(clip, field)
        if not isinstance(value, kinds):
            raise ValueError(f"{field} is {str(value)[:40]!r}")
    if pathlib.PurePath(clip.file).name != clip.file:
        raise ValueError(f"{clip.file[:40]!r} is not a name in this folder")


@functools.cache
def _kinds() -> dict[str, tuple[type, ...]]:
    """The kinds of value that each field may have."""
    hints = typing.get_type_hints(Clip)
    either = {field: typing.get_args(hint) or (hint,) for field, hint in hints.items()}
    return {field: tuple(typing.get_origin(kind) or kind for kind in kinds) for field, kinds in either.items()}
