"""The page of a project: its songs, its clips from worst to best, and an original beside them."""

from __future__ import annotations

import collections
import math
import pathlib
import shlex
import typing

from ..clips import manifest
from ..files.atomic import written
from ..songs import cutlist
from ..songs.song import LEFT_OVER
from . import page
from .likeness import heard

if typing.TYPE_CHECKING:
    from ..dataset.dataset import Dataset
    from ..packs.pack import Pack
    from ..songs import Songs

Entry = dict[str, typing.Any]


def write(
    project: pathlib.Path, album: Songs, pack: Pack, model: pathlib.Path, data: Dataset | None = None
) -> list[page.Fact]:
    """Write the page of songs that are saved in `project`. `model` is what played them, `data` what it learnt from.

    What the songs are like beside the music that was learnt is on the page, and returned.
    """
    likeness = heard([project / name for name in album.names()], pack)
    entries = {entry["file"]: entry for entry in cutlist.read(project)}
    songs = [page.sound(project, project / name, (_song(entries[name]),)) for name in album.names() if name in entries]
    clips = _clips(project, album, list(entries.values()))
    whole = page.Page(
        title=f"What the model made: {project.resolve().name}",
        songs=songs,
        original=_original(project, data, min((clip.seconds for clip in clips), default=10.0)) if data else None,
        clips=clips,
        facts=page.facts_of(pack) + likeness,
        steps=_steps(model, album.source, clips),
    )
    page.write(project, whole)
    return likeness


def _song(entry: Entry) -> str:
    loudness = entry.get("loudness")
    loud = f", {loudness:.1f} LUFS" if isinstance(loudness, float) else ""
    return f"a song of {len(entry['cuts'])} cuts{loud}"


def _clips(project: pathlib.Path, album: Songs, songs: list[Entry]) -> list[page.Sound]:
    """Worst first: by the share of a clip that is no music, then by what a song has of it."""
    used = collections.defaultdict[str, float](float)
    words = collections.defaultdict[str, list[str]](list)
    for entry in songs:
        for cut in entry["cuts"] if entry["file"] in album.names() else ():
            used[cut["clip"]] += cut["to"] - cut["from"]
            words[cut["clip"]].append(f"in {entry['file']} at {_clock(cut['start'])}")
    lost, faults = collections.defaultdict[str, float](float), collections.defaultdict[str, list[str]](list)
    for dropped in album.dropped:
        part = f"{dropped.part[0]:.1f} to {dropped.part[1]:.1f} s: " if dropped.part else ""
        if dropped.reason == LEFT_OVER:
            words[dropped.clip].append(f"not used: {part}{dropped.reason}")
        else:
            lost[dropped.clip] += dropped.part[1] - dropped.part[0] if dropped.part else math.inf
            faults[dropped.clip].append(f"not used: {part}{dropped.reason}")
    found = []
    for name in sorted(manifest.read(album.source)):
        if (file := album.source / name).exists():
            clip = page.sound(project, file, words[name], "; ".join(faults[name]) or "ok")
            share = min(1.0, lost[name] / max(clip.seconds, 1e-9))
            found.append(((-share, used[name], name), clip))
    return [clip for _, clip in sorted(found, key=lambda row: row[0])]


def _original(project: pathlib.Path, data: Dataset, seconds: float) -> page.Sound | None:
    """The middle of the longest song that was learnt from, no longer than a clip."""
    import numpy as np

    from ..sound.wav import write_wav

    longest = max(data.of("train"), key=lambda track: track.length, default=None)
    if longest is None or not longest.length:
        return None
    length = min(longest.length, max(1, round(seconds * data.sample_rate)))
    start = longest.start + (longest.length - length) // 2
    samples = data.train[start : start + length].astype(np.float32) / 32768
    path = project / page.FILES / "original.wav"
    with written(path.parent, "made"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, samples[None], data.sample_rate)
    return page.sound(project, path, (f"{longest.name}, from {_clock((start - longest.start) / data.sample_rate)}",))


def _steps(model: pathlib.Path, folder: pathlib.Path, clips: list[page.Sound]) -> list[page.Step]:
    more = f"sharks generate {shlex.quote(str(model))} -n 12 --length 20s --seed 1"
    steps = [page.Step("Play others of its clips, by another seed:", more)]
    if clips:
        best = shlex.quote(str(folder / clips[-1].name))
        steps.insert(0, page.Step("Play the best clip on, to two minutes:", f"sharks extend {best} --to 2m"))
    return steps


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
