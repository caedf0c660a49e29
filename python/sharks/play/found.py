"""What a folder of clips that is played into again already says: the seed and the temperature of its clips."""

from __future__ import annotations

import dataclasses
import pathlib

from ..clips import manifest
from ..clips.wavs import file_name
from .request import Request
from .schedule import Schedule


def as_before(whole: Request, folder: pathlib.Path, *, seeded: bool, heated: bool) -> Request:
    """The request, whose seed and temperature, unless they were given, are those of the clips that are there already.

    The seed is that of the same streams' clips; the temperature each clip's own, and for new ones that of the pack's
    first clip there.
    """
    known = manifest.read(folder) if folder.is_dir() else {}
    there = {file: clip for file, clip in known.items() if (folder / file).exists()}
    same = [there.get(file_name(stream)) for stream in whole.streams.tolist()]
    if not seeded and any(same):
        whole = dataclasses.replace(whole, seed=next(clip.seed for clip in same if clip))
    usual = [clip.temperature for clip in there.values() if clip.pack_sha256 == whole.pack.sha256]
    if not heated and usual:
        each = [clip.temperature if clip else usual[0] for clip in same]
        alike = each.count(each[0]) == len(each)
        schedule = Schedule(each[0] if alike else each, whole.n, whole.pack.spec.sample_rate)
        whole = dataclasses.replace(whole, schedule=schedule)
    return whole
