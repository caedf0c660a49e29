"""From a folder of songs to a song in one command."""

from __future__ import annotations

import pathlib
import typing
from typing import Annotated

import typer

from . import display, options, values

if typing.TYPE_CHECKING:
    from ..songs import Songs

DEMO_PRESET = "sharks-form-small"
DEMO_MINUTES = 1.0, 1.5
DEMO_CLIP_SECONDS = 20.0
DEMO_TRAINING = "8m"  # at most, for a slow machine


def make(
    songs: Annotated[pathlib.Path, typer.Argument(metavar="FOLDER", help="Music in any format.")],
    out: Annotated[pathlib.Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where all of it goes.")],
    preset: options.Preset = None,
    settings: options.Settings = [],  # noqa: B006
    steps: options.Steps = None,
    hours: options.Hours = None,
    number: Annotated[int, typer.Option("--songs", metavar="N", help="How many songs at most.")] = 1,
    minutes: options.Minutes = "3-5",
    clip: Annotated[str, typer.Option(metavar="TIME", help="Length of the clips that songs are cut from.")] = "20s",
    temperature: options.Temperature = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the training and of the clips.")] = 0,
    device: options.TrainingDevice = "auto",
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Prepare, train, generate and curate. The same command again goes on where it stopped."""
    from ..projects.make import Playing, make

    playing = Playing(
        songs=number,
        minutes=values.minutes(minutes),
        clip_seconds=values.duration(clip),
        temperature=values.temperature(temperature),
        seed=seed,
    )
    album = make(
        songs,
        out,
        preset=preset,
        playing=playing,
        steps=steps,
        hours=values.hours(hours),
        ask=None if yes else display.asks("begin all the same?"),
        device=device,
        tell=display.begins,
        progress=display.of_audio(playing.clips),
        **values.settings(settings),
    )
    _show(album, out, as_json)


def demo(
    source: Annotated[
        pathlib.Path | None,
        typer.Argument(metavar="[FOLDER|PACK]", help="Music to learn from, or a trained pack or run to play."),
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="Where all of it goes: demo, or demo-box for the model in the box."
        ),
    ] = None,
    hours: options.Hours = DEMO_TRAINING,
    as_json: options.AsJson = False,
) -> None:
    """Hear what it does, within minutes.

    Alone, it plays the model in the box: some clips and a page to hear them on. With a folder of music: the walk of
    `sharks make` with a tiny model that learns for some minutes on a CPU (this needs the [train] extra). With a pack
    or a run: only generate and curate, which the core install can do.
    """
    from ..packs import box
    from ..packs.pack import BEST
    from ..projects.make import Playing, make, play

    if source is None or box.meant(source, BEST):
        _play_box(out or pathlib.Path("demo-box"), as_json)
        return
    out = out or pathlib.Path("demo")
    playing = Playing(minutes=DEMO_MINUTES, clip_seconds=DEMO_CLIP_SECONDS)
    if source.suffix == ".safetensors" or (source / "best.safetensors").exists():
        album = play(source, out, playing=playing, tell=display.begins, progress=display.of_audio(playing.clips))
    else:
        album = make(
            source,
            out,
            preset=DEMO_PRESET,
            playing=playing,
            hours=values.hours(hours),
            tell=display.begins,
            progress=display.of_audio(playing.clips),
        )
    _show(album, out, as_json)


def _play_box(out: pathlib.Path, as_json: bool) -> None:
    from ..projects.demo import CLIPS, demo

    played = demo(out, progress=display.of_audio(CLIPS))
    for clip in played.clips:
        display.say(str(clip))
    summary = {"page": played.page, "clips": list(played.clips), "seconds": played.seconds}
    display.answer(f"listen: {played.page}", summary, as_json)


def _show(album: Songs, out: pathlib.Path, as_json: bool) -> None:
    from ..projects import page

    for sentence in _dropped(album):
        display.say(f"not used: {sentence}")
    paths = [out / name for name in album.names()]
    files = [path for song in paths for path in (song, song.with_suffix(".png"))] + [out / "cuts.json"]
    summary = {
        "songs": [
            {"file": path, "seconds": song.seconds, "cuts": len(song.cuts)}
            for path, song in zip(paths, album.songs, strict=True)
        ],
        "files": files,
        "page": out / page.NAME,
    }
    display.answer("\n".join([*map(str, files), f"listen: {out / page.NAME}"]), summary, as_json)


def _dropped(album: Songs) -> list[str]:
    """Each part that is not in a song, with its reason; what is only left over, counted."""
    from ..songs.song import LEFT_OVER

    faults = [str(dropped) for dropped in album.dropped if dropped.reason != LEFT_OVER]
    left = len(album.dropped) - len(faults)
    return [*faults, *([f"{left} cut{'s' if left > 1 else ''} of good clips: {LEFT_OVER}"] if left else [])]
