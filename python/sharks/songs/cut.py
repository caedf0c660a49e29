"""From clips to cuts: the stretches that sound, each judged by its health.

A cut is a stretch of a clip that is used in a song. What is not used is reported with its reason, so that every clip
is accounted for.
"""

from __future__ import annotations

import dataclasses
import pathlib
import typing
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import AudioError
from ..sound.bands import SILENCE_DB
from ..sound.character import character
from ..sound.collapse import Lapse
from ..sound.health import health
from ..sound.reading import Decoder, read_audio
from .loudness import integrated
from .order import features

WINDOW_SECONDS = 0.02
QUIET_RELATIVE = -45.0  # dB: a window so far under the loud ones (the 95th percentile) is quiet, too
LONGEST_GAP = 0.4  # seconds of quiet that belong to the music
SHORTEST = 1.0  # seconds: what is shorter is not music yet


@dataclass(frozen=True)
class Cut:
    """A stretch of a clip, in samples of the song's rate: what it sounds like, and how loud it is in LUFS."""

    clip: pathlib.Path
    rate: int
    start: int
    stop: int
    loudness: float
    features: np.ndarray = dataclasses.field(repr=False, compare=False)  # see order.py
    character: np.ndarray = dataclasses.field(repr=False, compare=False)  # see sound/character.py

    def __len__(self) -> int:
        return self.stop - self.start

    def split(self, length: int) -> tuple[Cut, Cut]:
        """The first `length` samples, and the rest."""
        middle = self.start + length
        return dataclasses.replace(self, stop=middle), dataclasses.replace(self, start=middle)


@dataclass(frozen=True)
class Dropped:
    """A clip that is in no song, or the part of it from second to second that is in none."""

    clip: str
    reason: str
    part: tuple[float, float] | None = None

    def __str__(self) -> str:
        part = f" {self.part[0]:.1f}-{self.part[1]:.1f} s" if self.part else ""
        return f"{self.clip}{part}: {self.reason}"

    def entry(self) -> dict[str, typing.Any]:
        """A line of the cut list."""
        part = {"from": round(self.part[0], 4), "to": round(self.part[1], 4)} if self.part else {}
        return {"clip": self.clip, **part, "reason": self.reason}


def cuts_of(clip: pathlib.Path, rate: int, decoder: Decoder) -> Iterator[Cut | Dropped]:
    """The usable stretches of a clip, resampled to `rate`, and what is wrong with the others."""
    try:
        samples, _ = read_audio(clip, rate, decoder=decoder)
    except AudioError as error:
        yield Dropped(clip.name, str(error).removeprefix(f"{clip}: "))
        return
    mono = samples.mean(axis=0)
    stretches = sounding(mono - mono.mean(), rate)
    if not stretches:
        cancels = any(sounding(channel - channel.mean(), rate) for channel in samples)
        silent = f"silent: nothing above {SILENCE_DB:.0f} dBFS"
        opposite = "silent in mono: its channels cancel each other; turn the waveform of one of them over"
        yield Dropped(clip.name, opposite if cancels else silent)
    for start, stop in stretches:
        yield from _judged(clip, samples[:, start:stop], start, rate)


def sounding(mono: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Where `mono` (n,) sounds: [(start, stop), ...] in samples. Pauses up to 0.4 s are part of it."""
    window = max(1, round(WINDOW_SECONDS * rate))
    count = len(mono) // window
    power = np.square(mono[: count * window], dtype=np.float64).reshape(count, window).mean(axis=1)
    level = 10 * np.log10(power + 1e-20)
    threshold = max(SILENCE_DB, float(np.percentile(level, 95)) + QUIET_RELATIVE) if count else SILENCE_DB
    loud = np.flatnonzero(level > threshold)
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) * window > LONGEST_GAP * rate)
    first, last = loud[np.r_[0, gaps + 1]], loud[np.r_[gaps, len(loud) - 1]]
    # A window of margin, so that an attack keeps its beginning and a note its end.
    return [(max(0, (a - 1) * window), min(len(mono), (b + 2) * window)) for a, b in zip(first, last, strict=True)]


def _judged(clip: pathlib.Path, samples: np.ndarray, start: int, rate: int) -> Iterator[Cut | Dropped]:
    """The music in a stretch that begins at sample `start` of a clip: all of it, or what is left around its lapses."""
    stop = start + samples.shape[1]
    mono = samples.mean(axis=0)
    part = start / rate, stop / rate
    if stop - start < SHORTEST * rate:
        yield Dropped(clip.name, f"short: {(stop - start) / rate:.2f} s of sound, wanted {SHORTEST:g} s", part)
        return
    found = health(mono, rate)
    lapses = [lapse for lapse in found.lapses if lapse.stop - lapse.start < found.seconds]
    if lapses:
        yield from _around(lapses, clip, samples, start, rate)
    elif found.verdict != "ok":
        yield Dropped(clip.name, found.verdict, part)
    elif not np.isfinite(loudness := integrated(samples, rate)):
        yield Dropped(clip.name, "inaudible: quieter than -70 LUFS", part)
    else:
        yield Cut(clip, rate, start, stop, loudness, features(mono, rate), character(mono, rate))


def _around(
    lapses: list[Lapse], clip: pathlib.Path, samples: np.ndarray, start: int, rate: int
) -> Iterator[Cut | Dropped]:
    """What lies before, between and after the lapses, judged by itself, and each lapse with its reason."""
    music = 0
    for lapse in [*lapses, None]:
        first, last = (round(lapse.start * rate), round(lapse.stop * rate)) if lapse else (samples.shape[1],) * 2
        if first > music:
            yield from _judged(clip, samples[:, music:first], start + music, rate)
        if lapse:
            yield Dropped(clip.name, lapse.sentence, ((start + first) / rate, (start + last) / rate))
        music = last
