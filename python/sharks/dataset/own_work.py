"""What sharks itself wrote below a folder of music: a model that learns from its own clips learns its own faults.

Known by what lies beside it, at any depth and under any name: a dataset by dataset.json, a run by config.toml and its
log, clips by their manifest, songs by their list of cuts. Files of the musician's own in between stay music.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import tomllib
import typing

from ..clips import manifest
from ..errors import AudioError
from .dataset import read_table

CUTS = "cuts.json"  # as songs/cutlist.py has it, which is built on this room
CONFIG, BESIDE_CONFIG = "config.toml", ("log.jsonl", "env.json", "checkpoints")  # as training/run/rundir.py has them
PRIMERS = "primers"  # as clips/wavs.py has it
PAGE_FILES = "index_files"  # as projects/page.py has it: pictures, and an excerpt of what was learnt from
_BESIDE = (".png", ".webp", ".jpg", ".state.safetensors")  # of a clip or a song: its picture, its bookmark


class OwnWork(typing.NamedTuple):
    """What of a folder sharks wrote."""

    what: str  # in words; empty for nothing
    whole: bool = False  # all of the folder, and what lies below it
    files: frozenset[str] = frozenset()  # else these names in it


NOTHING = OwnWork("")


def own_work(folder: pathlib.Path, files: typing.Collection[str]) -> OwnWork:
    """What sharks wrote of a folder that holds these files. What looks like ours but cannot be read is nothing."""
    if "dataset.json" in files and _is_dataset(folder):
        return OwnWork("a dataset that sharks made", whole=True)
    if CONFIG in files and _is_run(folder):
        return OwnWork("a training run of sharks", whole=True)
    clips = _clips(folder) if any(name.startswith("manifest.") for name in files) else []
    songs = _songs(folder) if CUTS in files else []
    said = [f"{len(names)} {word}" for names, word in ((clips, "clips"), (songs, "songs")) if names]
    if not said:
        return NOTHING
    ours = {name.removesuffix(".wav") + ending for name in (*clips, *songs) for ending in ("", ".wav", *_BESIDE)}
    ours |= {*clips, *songs, CUTS, "bad.json"} | {name for name in files if name.startswith("manifest.")}
    return OwnWork(f"{' and '.join(said)} that sharks made", files=frozenset(ours | {PRIMERS, PAGE_FILES}))


def _is_dataset(folder: pathlib.Path) -> bool:
    try:
        return read_table(folder) is not None
    except AudioError:  # of a newer version
        return True


def _is_run(folder: pathlib.Path) -> bool:
    if not any((folder / name).exists() for name in BESIDE_CONFIG):
        return False
    with contextlib.suppress(OSError, ValueError):
        return "run" in tomllib.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return False


def _clips(folder: pathlib.Path) -> list[str]:
    with contextlib.suppress(AudioError):
        return list(manifest.read(folder))
    return []


def _songs(folder: pathlib.Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        table = json.loads((folder / CUTS).read_bytes())
        return [str(entry["file"]) for entry in (*table["songs"], *table.get("earlier", ()))]
    return []
