"""From cuts to a song: crossfaded, brought to one loudness, never clipping; and the list that says how it was made."""

from __future__ import annotations

import math
import pathlib
import typing
from dataclasses import dataclass

import numpy as np

from ..sound.picture import spectrogram_png
from ..sound.reading import Decoder, read_audio
from ..sound.wav import write_wav
from .cut import Cut, Dropped
from .level import levelled
from .loudness import integrated, true_peak

MOST_GAIN = 6.0  # dB by which one cut is brought towards the others: dynamics stay, holes and shouts do not
FADE_IN = 0.01  # seconds
LEFT_OVER = "left over: the songs are long enough"


@dataclass(frozen=True)
class Song:
    """Cuts in their order, how they fade into each other, and what each is multiplied by."""

    cuts: tuple[Cut, ...]
    fades: tuple[int, ...]  # samples: into the first cut, from each to the next, out of the last
    gains: tuple[float, ...]  # dB
    rate: int
    channels: int
    target: float  # LUFS

    def __len__(self) -> int:
        return self.starts()[-1] + len(self.cuts[-1])

    @property
    def seconds(self) -> float:
        return len(self) / self.rate

    def starts(self) -> list[int]:
        """Where each cut begins in the song, in samples."""
        starts = [0]
        for cut, fade in zip(self.cuts[:-1], self.fades[1:-1], strict=True):
            starts.append(starts[-1] + len(cut) - fade)
        return starts

    def mix(self) -> np.ndarray:
        """The cuts joined, before the gain of the whole: float32 (channels, n)."""
        mix = np.zeros((self.channels, len(self)), np.float32)
        with Decoder() as decoder:
            for i, (cut, gain, start) in enumerate(zip(self.cuts, self.gains, self.starts(), strict=True)):
                sound = _sound(cut, self.channels, decoder) * np.float32(10 ** (gain / 20))
                sound[:, : self.fades[i]] *= _rise(self.fades[i])
                sound[:, len(cut) - self.fades[i + 1] :] *= _rise(self.fades[i + 1])[::-1]
                mix[:, start : start + len(cut)] += sound
        return mix

    def play(self) -> tuple[np.ndarray, dict[str, typing.Any]]:
        """The finished song, float32 (channels, n), and its entry in the cut list.

        It is as loud as asked for, or as loud as a true peak of -1 dB and 8 dB of limiting allow.
        """
        song, gain, limiting = levelled(self.mix(), self.rate, self.target)
        loudness = integrated(song, self.rate)
        return song, {
            "seconds": round(self.seconds, 3),
            "loudness": round(loudness, 2) if math.isfinite(loudness) else None,
            "asked": round(self.target, 2),
            "true_peak": round(true_peak(song, self.rate), 2),
            "gain": round(gain, 2),
            "limited": round(limiting, 2),
            "cuts": [self._entry(i, start) for i, start in enumerate(self.starts())],
        }

    def _entry(self, i: int, start: int) -> dict[str, typing.Any]:
        cut = self.cuts[i]
        return {
            "clip": cut.clip.name,
            "from": round(cut.start / cut.rate, 4),
            "to": round(cut.stop / cut.rate, 4),
            "start": round(start / self.rate, 4),
            "fade_in": round(self.fades[i] / self.rate, 4),  # a crossfade, but for the first
            "gain": round(self.gains[i], 2),
            "loudness": round(cut.loudness, 2),
        }


def songs_of(
    path: list[Cut],
    count: int,
    seconds: tuple[float, float],
    crossfade: float,
    level: float,
    target: float,
    channels: int,
) -> tuple[list[Song], list[Dropped]]:
    """The path cut into at most `count` songs of about equal length within `seconds`, and what was left over.

    `level` is the loudness, in LUFS, that cuts are brought towards, and `target` that of the songs.

    Too little music for so many makes fewer songs, and at least one, however short.
    """
    rate = path[0].rate
    shortest, longest = (round(s * rate) for s in seconds)
    fade = round(crossfade * rate)
    count = max(1, min(count, _length(path, fade) // max(1, shortest)))
    songs: list[Song] = []
    rest, spare = list(path), []
    while rest and len(songs) < count:
        wanted = min(longest, math.ceil(_length(rest, fade) / (count - len(songs))))
        taken = [rest.pop(0)]
        while rest and _length(taken, fade) < wanted:
            taken.append(rest.pop(0))
        crossfades = _crossfades(taken, fade)
        excess = _length(taken, fade) - longest
        if excess > 0:
            taken[-1], left = taken[-1].split(len(taken[-1]) - excess)
            spare.append(left)
        fades = (min(round(FADE_IN * rate), len(taken[0])), *crossfades, min(fade, len(taken[-1])))
        gains = tuple(min(MOST_GAIN, max(-MOST_GAIN, level - cut.loudness)) for cut in taken)
        songs.append(Song(tuple(taken), fades, gains, rate, channels, target))
    return songs, [left_over(cut) for cut in spare + rest]


def left_over(cut: Cut) -> Dropped:
    """A cut that is good, and not needed."""
    return Dropped(cut.clip.name, LEFT_OVER, (cut.start / cut.rate, cut.stop / cut.rate))


def _crossfades(cuts: list[Cut], fade: int) -> list[int]:
    """Samples that each cut shares with the next: at most half of either."""
    return [min(fade, len(a) // 2, len(b) // 2) for a, b in zip(cuts, cuts[1:], strict=False)]


def _length(cuts: list[Cut], fade: int) -> int:
    return sum(map(len, cuts)) - sum(_crossfades(cuts, fade))


def _sound(cut: Cut, channels: int, decoder: Decoder) -> np.ndarray:
    """The samples of a cut, float32 (channels, n), around zero: an offset would thump at the joins."""
    samples = read_audio(cut.clip, cut.rate, decoder=decoder)[0][:, cut.start : cut.stop]
    if len(samples) != channels:
        samples = np.repeat(samples.mean(axis=0, keepdims=True), channels, axis=0)
    return samples - samples.mean(axis=1, keepdims=True)


def _rise(length: int) -> np.ndarray:
    """A quarter of a sine: with its mirror image it keeps the power of two unlike sounds."""
    return np.sin((np.arange(length, dtype=np.float32) + 0.5) * np.float32(np.pi / 2 / max(1, length)))


def write(samples: np.ndarray, rate: int, path: pathlib.Path) -> None:
    """Write a song, float32 (channels, n), to `path`, and its spectrogram beside it."""
    write_wav(path, samples, rate)
    spectrogram_png(path.with_suffix(".png"), samples, rate)
