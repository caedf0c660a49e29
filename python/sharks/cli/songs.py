"""Clips to songs."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from ..terminal import units
from . import display, options, values


def curate(
    clips: Annotated[pathlib.Path, typer.Argument(metavar="CLIPS", help="A folder of clips.")],
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="The songs; albums/NAME if not given.")
    ] = None,
    songs: Annotated[int, typer.Option(metavar="N", help="How many at most.")] = 1,
    minutes: options.Minutes = "3-5",
    crossfade: Annotated[str, typer.Option(metavar="TIME", help="From one cut to the next.")] = "0.5s",
    loudness: Annotated[float, typer.Option(metavar="LUFS", help="Of a song; its peaks are limited.")] = -14.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Cut clips into songs.

    Drops what is broken, puts alike beside alike, crossfades, levels, and lists every cut.
    """
    from ..songs import curate

    folder = out or pathlib.Path("albums") / clips.resolve().name
    album = curate(
        clips,
        None if dry_run else folder,
        songs=songs,
        minutes=values.minutes(minutes),
        crossfade=values.duration(crossfade),
        loudness=loudness,
        progress=display.of_clips,
    )
    for dropped in album.dropped:
        display.say(f"not used: {dropped}")
    paths = [folder / name for name in album.names()]
    lines = [
        f"{path}  {units.duration(song.seconds)} of {len(song.cuts)} cuts"
        for path, song in zip(paths, album.songs, strict=True)
    ]
    summary = {
        "songs": [
            {"file": path, "seconds": song.seconds, "cuts": len(song.cuts)}
            for path, song in zip(paths, album.songs, strict=True)
        ],
        "dropped": [dropped.entry() for dropped in album.dropped],
        "written": not dry_run,
    }
    display.answer("\n".join(lines), summary, as_json)
