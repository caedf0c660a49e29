"""The model in the box, played: some clips, their pictures and a page to hear them on.

Needs no torch and no network.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shlex
from collections.abc import Callable

from ..errors import arguments
from ..files.locks import held
from ..packs import box as in_the_box
from ..packs.pack import Pack, load, pack_of
from ..play.request import request
from . import page
from .likeness import heard

CLIPS, SECONDS = 3, 8.0  # 24 seconds of music


@dataclasses.dataclass(frozen=True)
class Played:
    """What there is to hear: a page, and the clips on it."""

    page: pathlib.Path
    clips: tuple[pathlib.Path, ...]
    seconds: float  # of music, in all


def box() -> Pack:
    """The pack in the box; `UsageError` in a build that has none."""
    with in_the_box.file() as path:
        return load(path)


def demo(
    out: str | os.PathLike[str],
    *,
    pack: Pack | None = None,
    seed: int = 0,
    temperature: float | None = None,
    progress: Callable[[float, float, float], None] | None = None,
) -> Played:
    """Play the model in the box (or another pack) into a folder: WAV files and a page with their pictures.

    `UsageError` where the page of somebody else is there; `ResourceError` where another process plays a demo into it.

    >>> played = sharks.demo("demo", pack=sharks.load("run"))
    >>> played.page.name, len(played.clips), played.seconds
    ('index.html', 3, 24.0)
    """
    pack = box() if pack is None else pack_of(pack)
    folder = arguments.path("out", out)
    request(pack, CLIPS, temperature=temperature, seed=seed)  # refuses what cannot be meant before a folder is made
    arguments.function("progress", progress)
    with held(folder, "plays a demo into it"):
        page.refuse_others(folder)
        return _played(folder, pack, seed, temperature, progress)


def _played(
    folder: pathlib.Path,
    pack: Pack,
    seed: int,
    temperature: float | None,
    progress: Callable[[float, float, float], None] | None,
) -> Played:
    from ..play.retry import generate_good
    from ..sound.health import health
    from ..sound.reading import read_audio

    audio, _ = generate_good(
        pack, SECONDS, CLIPS, out=folder / "clips", seed=seed, temperature=temperature, progress=progress
    )
    files = tuple(audio.files or ())
    clips = []
    for file in files:
        verdict = health(*read_audio(file)).verdict
        clips.append(page.sound(folder, file, verdict=verdict))
    clips.sort(key=lambda clip: clip.verdict == "ok")
    whole = page.Page(
        "What a trained model plays", clips, page.facts_of(pack) + heard(files, pack), _steps(clips, folder)
    )
    return Played(page.write(folder, whole), files, audio.seconds * len(files))


def _steps(clips: list[page.Sound], folder: pathlib.Path) -> list[page.Step]:
    best = shlex.quote(str(folder / "clips" / clips[-1].name))
    return [
        page.Step("Play a clip on, to a minute:", f"sharks extend {best} --to 1m"),
        page.Step("Train a model on your own music, and make a song of it:", "sharks make ~/Music/mine -o mine"),
    ]
