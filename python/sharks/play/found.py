"""What a folder of clips that is played into again already says: their seed, their temperature, and which are whole."""

from __future__ import annotations

import dataclasses
import pathlib

from ..clips import manifest
from ..clips.wavs import file_name
from ..packs.pack import Pack
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


def finished_clips(folder: pathlib.Path, pack: Pack, samples: int, seed: int | None) -> dict[int, bool]:
    """Stream -> whether its clip is as long, of the clips of this pack (and seed) that were asked for in a folder."""
    known = manifest.read(folder) if folder.is_dir() else {}
    return {
        clip.stream: clip.samples >= samples and (folder / file).exists()
        for file, clip in known.items()
        if clip.pack_sha256 == pack.sha256 and seed in (None, clip.seed)
    }


def next_streams(finished: dict[int, bool], n: int) -> tuple[list[int], bool]:
    """Which streams are meant by `n` clips where no seed is named, and whether they are new ones.

    Those that were begun and are not finished; where all are, the next that were never used.
    """
    begun = sorted(stream for stream, whole in finished.items() if not whole)
    if begun:
        return (list(range(n)) if begun[-1] < n else begun), False
    first = max(finished, default=-1) + 1
    return list(range(first, first + n)), True


def seed_of(folder: pathlib.Path, pack: Pack) -> int:
    """The seed of a pack's clips in a folder that has some: that of the newest, where somebody mixed them."""
    clips = [clip for clip in manifest.read(folder).values() if clip.pack_sha256 == pack.sha256]
    return max(clips, key=lambda clip: clip.stream).seed
