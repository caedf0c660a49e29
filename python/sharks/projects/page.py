"""A page to listen on: players, pictures, what made the sounds, and what to do next. It needs no network and no script.

FOLDER/index.html         the page; page.html beside this module is its template
FOLDER/index_files/       its pictures, and sounds that are on no other place
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import os
import pathlib
import re
import typing
import urllib.parse

from ..errors import UsageError
from ..files.atomic import atomically, written

if typing.TYPE_CHECKING:
    from ..packs.pack import Pack

NAME, FILES = "index.html", "index_files"
MOST_SONGS = 12  # named, of those that were learnt from
LEARNT = 0.1  # bits per sample under guessing, from which on something was learnt; what plays at all has 0.5 or more
_OURS = '<meta name="generator" content="sharks">'  # tells our pages from others
_CREATIVE_COMMONS = re.compile(r"CC[- ](BY(?:-NC)?(?:-SA|-ND)?)[- ](\d\.\d)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Sound:
    """A file to hear: where it and its picture are, as links from the page, and what is to be said of it."""

    name: str
    sound: str
    picture: str
    seconds: float
    words: tuple[str, ...] = ()  # a line each
    verdict: str = ""  # of what is judged

    @property
    def length(self) -> str:
        """ "0:08", "3:05"."""
        whole = round(self.seconds)
        return f"{whole // 60}:{whole % 60:02d}"


@dataclasses.dataclass(frozen=True)
class Fact:
    name: str
    value: str
    link: str = ""


@dataclasses.dataclass(frozen=True)
class Step:
    """What to do next, and the command that does it."""

    why: str
    command: str


@dataclasses.dataclass(frozen=True)
class Page:
    title: str
    clips: list[Sound]  # from worst to best
    facts: list[Fact]
    steps: list[Step]
    songs: list[Sound] = dataclasses.field(default_factory=list)
    original: Sound | None = None


def refuse_others(folder: str | os.PathLike[str]) -> None:
    """`UsageError` where a page of somebody else is in a folder."""
    path = pathlib.Path(folder) / NAME
    if path.exists() and not (path.is_file() and _OURS in path.read_text(encoding="utf-8", errors="replace")):
        raise UsageError(f"{path}: is there already, and is no page of sharks; choose another folder")


def write(folder: pathlib.Path, page: Page) -> pathlib.Path:
    """Write the page of a folder, whole or not at all; returns its path. `UsageError` as `refuse_others`."""
    from jinja2 import Environment, StrictUndefined

    refuse_others(folder)
    source = (importlib.resources.files(__package__) / "page.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    with atomically(folder / NAME) as file:
        file.write(template.from_string(source).render(page=page).encode())
    return folder / NAME


def sound(folder: pathlib.Path, file: pathlib.Path, words: typing.Iterable[str] = (), verdict: str = "") -> Sound:
    """A sound in or under `folder`, and its picture, which is drawn unless one as new as the sound is there."""
    from ..sound.picture import spectrogram_webp
    from ..sound.reading import read_audio

    inside = file.relative_to(folder / FILES if file.is_relative_to(folder / FILES) else folder)
    picture = folder / FILES / inside.with_suffix(".webp")
    samples, rate = read_audio(file)
    if not picture.exists() or picture.stat().st_mtime_ns < file.stat().st_mtime_ns:
        with written(picture.parent, "made"):
            picture.parent.mkdir(parents=True, exist_ok=True)
        spectrogram_webp(picture, samples, rate)
    heard, seen = (urllib.parse.quote(path.relative_to(folder).as_posix()) for path in (file, picture))
    return Sound(inside.name, heard, seen, samples.shape[1] / rate, tuple(words), verdict)


def facts_of(pack: Pack) -> list[Fact]:
    """What a pack says of itself, in plain words first."""
    about = pack.about
    found = [Fact("Model", _model(pack))]
    bits, guessing = (about.get(name) for name in ("nll_bits", "order0_bits"))
    if isinstance(bits, float) and isinstance(guessing, float):
        found.append(Fact("Has it learnt?", _learnt(bits, guessing, "sample" if pack.spec.pace == (1, 1) else "code")))
    if isinstance(songs := about.get("songs"), list) and songs:
        found.append(Fact("Learnt from", _named([str(song) for song in songs], about.get("songs_in_all"))))
    if about.get("attribution"):
        found.append(Fact("Music by", str(about["attribution"])))
    if about.get("licence"):
        found.append(Fact("Licence", str(about["licence"]), _deed(str(about["licence"]))))
    return found


def _model(pack: Pack) -> str:
    about = pack.about
    name = str(about.get("preset", pack.spec.family))
    trained = f", trained for {about['step']:,} steps" if isinstance(about.get("step"), int) else ""
    return f"{name}{trained}; it plays {pack.spec.sample_rate} samples per second"


def _learnt(bits: float, guessing: float, unit: str) -> str:
    better = guessing - bits
    word = f"Yes, {better:.2f} bits better than guessing" if better > LEARNT else "Hardly more than guessing"
    return f"{word}: a {unit} of music that it has not heard costs it {bits:.2f} bits, and by guessing {guessing:.2f}"


def _named(songs: list[str], in_all: typing.Any) -> str:
    shown, more = songs[:MOST_SONGS], (in_all if isinstance(in_all, int) else len(songs)) - MOST_SONGS
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _deed(licence: str) -> str:
    """Where a licence of Creative Commons is explained; empty for any other."""
    found = _CREATIVE_COMMONS.fullmatch(licence.strip())
    return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/" if found else ""
