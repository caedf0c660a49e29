"""How far what a model plays is from noise, and how near to the songs that it learnt: in plain words, with figures.

A clip may have no fault and still be no music: steady hiss is neither silent nor clipped. So where a pack knows the
figures of its songs, whoever shows its clips says theirs beside them, and white noise's.
"""

from __future__ import annotations

import math
import pathlib
import typing
from collections.abc import Sequence

from ..packs.pack import Pack
from ..sound import music
from ..sound.reading import read_audio
from .page import Fact

NOISE = {"beat": 0.10, "form": 0.03, "tone": 9.8}  # of white noise; see sound/music.py
WORDS = {
    "beat": ("beat", "no beat: steady as noise", "less of a beat than the songs", "a beat like the songs'"),
    "form": ("form", "nothing returns", "less returns than in the songs", "as much returns as in the songs"),
    "tone": ("tones", "no tones, as noise has none", "fewer tones than the songs", "tones like the songs'"),
}
_NEAR_NOISE = 0.25  # of the way from noise to the least of the songs


def heard(files: Sequence[pathlib.Path], pack: Pack) -> list[Fact]:
    """What sound files that a pack played are like, a fact for each figure; none where the pack knows of no songs."""
    songs = pack.about.get("music")
    if not is_known(songs) or not files:
        return []
    rate = pack.spec.sample_rate
    found = music.figures([read_audio(file, rate=rate, mono=True)[0][0] for file in files], rate)
    return [_fact(name, getattr(found, name), songs[name]) for name in WORDS if math.isfinite(getattr(found, name))]


def is_known(value: object) -> typing.TypeGuard[dict[str, list[float]]]:
    """Whether something that a file holds are the figures of songs: for each the least and the greatest."""
    return isinstance(value, dict) and all(
        isinstance(pair := value.get(name), list)
        and len(pair) == 2
        and all(type(number) in (int, float) and math.isfinite(number) for number in pair)
        for name in WORDS
    )


def _fact(name: str, found: float, songs: list[float]) -> Fact:
    title, none, some, alike = WORDS[name]
    noise, (least, most) = NOISE[name], songs
    words = alike if found >= least else none if found < noise + _NEAR_NOISE * (least - noise) else some
    form = "{:.1f} dB" if name == "tone" else "{:.2f}"
    figures = (form.format(value) for value in (found, noise, least, most))
    return Fact(title.capitalize(), "{}: {}; white noise has {}, the songs {} to {}".format(words, *figures))
