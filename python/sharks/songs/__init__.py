"""Clips in, songs out: what does not sound right is dropped, what sounds alike stands together, nothing is lost unsaid.

Curation hears sound files, not weights: it works on any folder of clips.
"""

from __future__ import annotations

import collections
import os
import pathlib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..clips import manifest
from ..errors import AudioError, Notice, UsageError, arguments
from ..files.locks import held
from ..sound.reading import Decoder
from . import cutlist
from .choose import chosen, learnt_from
from .cut import Cut, Dropped, cuts_of
from .level import MOST_LIMITING, NEAR
from .order import shortest_path
from .song import Song, left_over, songs_of, write

__all__ = ["Songs", "Cut", "Dropped", "Song", "curate"]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")  # heard, or named where it cannot be

MOST = 10**6  # songs
_DOING = "writes songs into it"  # what another process is told about the one that has the folder


@dataclass(frozen=True)
class Songs:
    """What curation made: songs, and what was dropped and why. `clips` counts the files looked at."""

    songs: tuple[Song, ...]
    dropped: tuple[Dropped, ...]
    clips: int
    source: pathlib.Path
    origins: dict[str, manifest.Clip]  # what the manifest says of each clip

    def names(self) -> list[str]:
        """The songs' file names."""
        return cutlist.names(len(self.songs))

    def save(self, out: str | os.PathLike[str]) -> list[pathlib.Path]:
        """Write `song.wav` (or `song-01.wav`, ...) with a spectrogram each, then the cut list `cuts.json`.

        A file is written whole or not at all, and only in place of a song that an earlier call wrote and nobody has
        changed since: `UsageError` else. Earlier songs that are not written over stay in the cut list. Returns the
        songs' paths.
        """
        folder = arguments.path("out", out)
        _check_apart(folder, self.source)
        with held(folder, _DOING):
            return self._write(folder)

    def _write(self, folder: pathlib.Path) -> list[pathlib.Path]:
        cutlist.refuse_others(folder, self.names())
        before = cutlist.read(folder)
        paths = [folder / name for name in self.names()]
        dropped = [d.entry() for d in self.dropped]
        entries: list[cutlist.Entry] = []
        for song, path in zip(self.songs, paths, strict=True):
            samples, entry = song.play()
            if entry["loudness"] is not None and song.target - entry["loudness"] > 2 * NEAR:
                warnings.warn(
                    f"{path}: is at {entry['loudness']:.1f} LUFS, asked for {song.target:g}; more would take over "
                    f"{MOST_LIMITING:g} dB of limiting",
                    Notice,
                    stacklevel=2,
                )
            for cut in entry["cuts"]:
                if origin := self.origins.get(cut["clip"]):
                    cut |= {"stream": origin.stream, "seed": origin.seed, "temperature": origin.temperature}
            entries.append({"file": path.name} | entry)
            # The list comes first, and still knows the song that was there: a call that is killed in between leaves
            # none that is in no list.
            cutlist.write(folder, entries, dropped, before)
            write(samples, song.rate, path)
        cutlist.write(folder, entries, dropped, (e for e in before if self._is_kept(folder, e)))
        return paths

    def _is_kept(self, folder: pathlib.Path, entry: cutlist.Entry) -> bool:
        """Whether a song of an earlier call, or its picture, is still there."""
        song = folder / entry["file"]
        return song.name not in self.names() and (song.exists() or song.with_suffix(".png").exists())


def curate(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    *,
    songs: int = 1,
    minutes: tuple[float, float] = (3.0, 5.0),
    crossfade: float = 0.5,
    loudness: float = -14.0,
    progress: Callable[[int, int], None] | None = None,
) -> Songs:
    """Make songs of clips: cut, judge, order, crossfade, level. Saved into `out` if that is given.

    `clips`: a folder (its sound files, by what they hold), or files. `songs`: how many at most; `minutes`: the shortest
    and longest that a song should be; too little music makes fewer songs, at the least one that is short. `crossfade`
    in seconds, of equal power. `loudness` in LUFS, by at most 8 dB of limiting under a true peak of -1 dB; a
    `Notice` says where that was not enough.
    `progress(done, total)` is called after every clip.

    Where there is more music than is needed, those clips are taken that are most like the songs which their model
    learnt, as the pack that the folder's manifest names describes them; of clips of no such pack the liveliest.

    The same clips always make the same songs. `UsageError`: an argument out of range, or a song of somebody else in
    `out`. `AudioError`: no clips, or none that sounds right. `ResourceError`: another process curates into `out`.

    >>> album = sharks.curate("takes", "album", minutes=(0.05, 0.5), crossfade=0.1)
    >>> album.names(), len(album.dropped)
    (['song.wav'], 0)
    """
    songs, minutes = asked(songs, minutes)
    crossfade = arguments.number("crossfade", crossfade, 0, 30, "0 to 30 s")
    loudness = arguments.number("loudness", loudness, -60, 0, "-60 to 0 LUFS, such as -14")
    arguments.function("progress", progress)
    folder = None if out is None else arguments.path("out", out)
    with Decoder() as decoder:
        source, files = _find(clips, decoder)
    if folder is None:
        return _curated(source, files, songs, minutes, crossfade, loudness, progress)
    _check_apart(folder, source)
    cutlist.refuse_others(folder, {*cutlist.names(1), *cutlist.names(songs)})
    with held(folder, _DOING):
        album = _curated(source, files, songs, minutes, crossfade, loudness, progress)
        album._write(folder)
    return album


def _curated(
    source: pathlib.Path,
    files: list[pathlib.Path],
    songs: int,
    minutes: tuple[float, float],
    crossfade: float,
    loudness: float,
    progress: Callable[[int, int], None] | None,
) -> Songs:
    origins = manifest.read(source)
    missing = sorted(origins.keys() - {file.name for file in files})
    dropped = [Dropped(name, "missing: the manifest names it") for name in missing]
    cuts: list[Cut] = []
    with Decoder() as decoder:
        rate, channels = _format(files, decoder)
        for done, file in enumerate(files, start=1):
            for found in cuts_of(file, rate, decoder):
                if isinstance(found, Cut):
                    cuts.append(found)
                else:
                    dropped.append(found)
            if progress:
                progress(done, len(files))
    if not cuts:
        raise AudioError(f"{source}: none of {len(files)} clips can be used ({_tally(dropped)}); generate others")
    wanted = songs * 60 * minutes[1] * rate
    level = float(np.median([cut.loudness for cut in cuts]))
    cuts, others = chosen(cuts, wanted, round(crossfade * rate), learnt_from(source, origins))
    path = [cuts[i] for i in shortest_path(np.stack([cut.features for cut in cuts]))]
    made, left = songs_of(path, songs, (60 * minutes[0], 60 * minutes[1]), crossfade, level, loudness, channels)
    dropped.sort(key=lambda row: row.clip)
    dropped += left + [left_over(cut) for cut in others]
    return Songs(tuple(made), tuple(dropped), len(files), source, origins)


def _check_apart(folder: pathlib.Path, source: pathlib.Path) -> None:
    if os.path.realpath(folder) == os.path.realpath(source):
        raise UsageError(f"{folder} holds the clips; choose another folder for the songs")


def asked(songs: int, minutes: tuple[float, float]) -> tuple[int, tuple[float, float]]:
    """How many songs of which lengths; `UsageError` where that cannot be meant."""
    wanted = "the shortest and the longest, such as 3 and 5"
    shortest, longest = (
        arguments.positive("minutes", part, wanted) for part in arguments.pair("minutes", minutes, wanted)
    )
    if shortest > longest:
        arguments.refuse("minutes", minutes, wanted)
    return arguments.whole("songs", songs, 1, MOST), (shortest, longest)


def _find(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], decoder: Decoder
) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """The folder that holds the clips, and the clips, sorted by name: files that are sound, or are named as such."""
    if not isinstance(clips, str | os.PathLike):
        files = arguments.paths("clips", clips)
        if not files:
            raise AudioError("clips is an empty list; wanted sound files, or a folder of them")
        return files[0].parent, files
    folder = arguments.path("clips", clips)
    if not os.path.isdir(folder):
        raise AudioError(f"{folder}: is not a folder; wanted the clips that `sharks generate` wrote")
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise AudioError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from None
    files = [file for file in found if file.suffix.lower() in SUFFIXES or _is_sound(file, decoder)]
    if not files:
        raise AudioError(f"{folder}: holds no clips; wanted a folder of sound files, as `sharks generate` writes it")
    return folder, files


def _is_sound(file: pathlib.Path, decoder: Decoder) -> bool:
    """Whether a file is sound by what it holds, as for `prepare`, or would be with ffmpeg; never a hidden one."""
    if file.name.startswith("."):
        return False
    try:
        decoder.header(file)
    except AudioError as error:
        return "ffmpeg" in str(error)
    return True


def _format(files: list[pathlib.Path], decoder: Decoder) -> tuple[int, int]:
    """The rate and the number of channels that most clips have; the others are made to fit."""
    found: collections.Counter[tuple[int, int]] = collections.Counter()
    for file in files:
        try:
            header = decoder.header(file)
        except AudioError:
            continue  # met again, and reported, when its turn comes
        found[header.rate, header.channels] += 1
    return max(found, key=lambda f: (found[f], f), default=(16000, 1))


def _tally(dropped: list[Dropped]) -> str:
    """Reasons by how often they occur: "7 silent, 2 clipped"."""
    kinds = collections.Counter(d.reason.split(":")[0] for d in dropped)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
