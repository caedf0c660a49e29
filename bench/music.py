"""Whether it is music, in figures: `python bench/music.py FILE... --album FOLDER --held FILE`.

A row for the files together, one for each, and beside them the album's songs, each against the others, and white noise.
What the columns mean: python/sharks/sound/music.py. `copying`: how near the passages of 2 s are to an album's most
similar ones, median and tenth percentile in dB; of a song, to the other songs. `--held` is a song that was not learnt
from: the distance is to it, and copies of it are none.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import typing

import numpy as np

from sharks.sound import music
from sharks.sound.reading import read_audio

RATE = 16000  # Hz, for all
HEADS = ("", "s", "beat", "form", "tone, dB", "distance", "copying, dB")


class Row(typing.NamedTuple):
    name: str
    seconds: float
    beat: float
    form: float
    tone: float
    distance: float  # to the held-out song
    copying: tuple[float, float]  # median, tenth percentile

    def __str__(self) -> str:
        numbers = (f"{self.seconds:.0f}", f"{self.beat:.3f}", f"{self.form:.3f}", f"{self.tone:.1f}")
        near = " / ".join(f"{value:.2f}" for value in self.copying)
        return f"| {self.name} | {' | '.join(numbers)} | {self.distance:.0f} | {near} |"


def row(name: str, sounds: list[music.Sound], album: list[music.Sound], held: music.Sound) -> Row:
    found, near = music.figures(sounds, RATE), music.nearest(sounds, album, RATE)
    copying = tuple(float(np.percentile(near, p)) if near.size else float("nan") for p in (50, 10))
    return Row(name, *found, music.distance(sounds, [held], RATE), typing.cast(tuple[float, float], copying))


def rows(files: list[pathlib.Path], album: list[pathlib.Path], held: pathlib.Path) -> list[Row]:
    """The files together and one by one, each of the album's songs, and noise."""
    song, learnt = _read(held), {path: _read(path) for path in album if path.resolve() != held.resolve()}
    sounds = [_read(path) for path in files]
    table = [row("all files", sounds, [*learnt.values()], song)]
    if len(files) > 1:
        table += [row(path.name, [sound], [*learnt.values()], song) for path, sound in zip(files, sounds, strict=True)]
    table.append(row(f"held out: {held.name}", [song], [*learnt.values()], song))
    for path, sound in learnt.items():
        table.append(row(f"album: {path.name}", [sound], [s for p, s in learnt.items() if p != path], song))
    noise = np.random.default_rng(0).normal(0, 0.2, 60 * RATE).astype(np.float32)
    return [*table, row("white noise", [noise], [*learnt.values()], song)]


def _read(path: pathlib.Path) -> music.Sound:
    return np.asarray(read_audio(path, rate=RATE, mono=True)[0][0], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--album", required=True, type=pathlib.Path, help="the folder of the songs")
    parser.add_argument("--held", required=True, type=pathlib.Path, help="the song that was not learnt from")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sounds = {".wav", ".flac", ".ogg", ".mp3", ".opus"}
    album = sorted(path for path in given.album.iterdir() if path.suffix.lower() in sounds)
    table = rows(given.files, album, given.held)
    if given.json:
        print(json.dumps([found._asdict() for found in table], indent=1))
        return
    print(f"| {' | '.join(HEADS)} |", f"|{' --- |' * len(HEADS)}", *table, sep="\n")


if __name__ == "__main__":
    main()
