"""The model in the box, played: some clips, their pictures and a page to hear them on.

Needs no torch and no network.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing
from collections.abc import Callable

from ..errors import UsageError
from ..files.atomic import atomically
from ..files.locks import held
from ..packs import box as in_the_box
from ..packs.pack import Pack, load

CLIPS, SECONDS = 3, 8.0  # 24 seconds of music
PAGE = "index.html"
_SHOWN = ("preset", "songs", "licence", "attribution")  # of what the pack says about itself


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
    """Play the model in the box (or another pack) into a folder: WAV files, spectrograms and a page.

    `UsageError` where the page of somebody else is there; `ResourceError` where another process plays a demo into it.

    >>> played = sharks.demo("demo", pack=sharks.load("run"))
    >>> played.page.name, len(played.clips), played.seconds
    ('index.html', 3, 24.0)
    """
    pack = box() if pack is None else pack
    folder = pathlib.Path(out)
    with held(folder, "plays a demo into it"):
        _refuse_others(folder / PAGE)
        return _played(folder, pack, seed, temperature, progress)


def _refuse_others(page: pathlib.Path) -> None:
    if page.exists() and _TITLE not in page.read_text(encoding="utf-8", errors="replace"):
        raise UsageError(f"{page}: is there already, and is no page of a demo; choose another folder")


def _played(
    folder: pathlib.Path,
    pack: Pack,
    seed: int,
    temperature: float | None,
    progress: Callable[[float, float, float], None] | None,
) -> Played:
    from ..play.retry import generate_good
    from ..sound.health import health
    from ..sound.picture import spectrogram_png
    from ..sound.reading import read_audio

    audio, _ = generate_good(
        pack, SECONDS, CLIPS, out=folder / "clips", seed=seed, temperature=temperature, progress=progress
    )
    files = tuple(audio.files or ())
    clips = []
    for file in files:
        samples, rate = read_audio(file)
        spectrogram_png(file.with_suffix(".png"), samples, rate)
        sound, picture = (path.relative_to(folder).as_posix() for path in (file, file.with_suffix(".png")))
        clips.append({"sound": sound, "picture": picture, "verdict": health(samples, rate).verdict})
    with atomically(folder / PAGE) as page:
        page.write(_page(pack, clips).encode())
    return Played(folder / PAGE, files, audio.seconds * len(files))


def _page(pack: Pack, clips: list[dict[str, str]]) -> str:
    from jinja2 import Environment

    about = pack.about
    facts: dict[str, typing.Any] = {
        key: about[key] for key in ("preset", "songs", "licence", "attribution") if key in about
    }
    if all(type(about.get(key)) in (int, float) for key in ("nll_bits", "order0_bits")):
        facts["held-out music"] = f"{about['nll_bits']:.2f} bits per sample, order-0 {about['order0_bits']:.2f}"
    shown: dict[str, typing.Any] = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in facts.items()
    }
    return Environment(autoescape=True).from_string(_TEMPLATE).render(clips=clips, facts=shown)


_TITLE = "<title>sharks demo</title>"  # tells our pages from others
_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'">
<title>sharks demo</title>
<style>
 body { font: 16px/1.5 system-ui, sans-serif; background: #050b16; color: #c3d3da; margin: 2rem auto; max-width: 50rem;
  padding: 0 1rem; }
 h1 { font-weight: 500; } img, audio { width: 100%; } figure { margin: 2rem 0; } td { padding-right: 1.5rem; }
</style></head><body>
<h1>What the model in the box plays</h1>
{% for clip in clips %}<figure><img alt="spectrogram" src="{{ clip.picture }}">
<audio controls preload="metadata" src="{{ clip.sound }}"></audio>
<figcaption>{{ clip.sound }}: {{ clip.verdict }}</figcaption></figure>
{% endfor %}
<table>{% for name, value in facts.items() %}<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}</table>
</body></html>
"""
