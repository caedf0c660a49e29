"""What the songs of a dataset are to a model: its levels, looked up from samples where a step is a sample.

Where a step is none, songs are codes: a tokenizer is fitted to the training songs once (or is the one of the weights
that a training begins with), and every song is coded before the first step. `data.renderings` codes a training song
several times: as it is, at other speeds, which move tempo and pitch as a tape does, and through random equalisers; each
is then a song to learn from.
"""

from __future__ import annotations

import dataclasses
import math
import typing
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...dataset.dataset import Dataset, Track, cost, level_counts, level_table, pcm_counts
from ...families import registry
from ...families.spec import Spec
from ...levels.quantize import codec_of
from ...recipes.recipe import DataRecipe
from . import equaliser

Tensors = Mapping[str, NDArray[np.float32]]
_AS_IT_IS = 2  # every so many-th rendering has the song's own speed
_SPEEDS = (0.84, 1.19)  # the slowest and the fastest: three semitones down and up
_EQUALISER_DB = 2.0  # deviation of a rendering's equaliser
_MOST_HOURS = 4.0  # of renderings in all: where there is more music, less has to be made of it


class Split(typing.Protocol):
    """One side of a dataset. A track's `start` and `length` count levels."""

    @property
    def tracks(self) -> Sequence[Track]: ...

    def levels(self, start: int, stop: int, floor: int, end: int, through: np.ndarray | None = None) -> np.ndarray:
        """Levels [start, stop) of the track [floor, end), `through` a filter; silence where it has none."""

    def samples(self, start: int, stop: int) -> NDArray[np.int16]:
        """The sound of levels [start, stop), where it is known."""


@dataclasses.dataclass(frozen=True)
class Material:
    """Both sides, and what is known of them before anything is learnt."""

    train: Split
    val: Split
    rate: float  # levels per second
    unit: str  # what a level is, for people
    counts: NDArray[np.int64] | None  # how often each level occurs in the training music, where one means the same
    order0: float  # bits per level of guessing by the training music's histogram: of held-out music, if there is any
    constants: Tensors  # tensors that were measured in the music, and are not learnt


def material_of(
    dataset: Dataset, spec: Spec, data: DataRecipe, seed: int = 0, constants: Tensors | None = None
) -> Material:
    """A dataset as a spec hears it. `constants`: a fitted tokenizer's tensors and the like; None: fit them now."""
    if spec.pace == (1, 1):
        counts = level_counts(pcm_counts(dataset.train), codec_of(spec))
        own, held_out = dataset.order0(codec_of(spec))
        guess = held_out if math.isfinite(held_out) else own
        train, val = (Samples(getattr(dataset, side), dataset.of(side), spec) for side in ("train", "val"))
        return Material(train, val, dataset.sample_rate, "sample", counts, guess, {})
    constants = _constants(dataset, spec, seed) if constants is None else constants
    tokenizer = registry.tokenizer(spec, constants)
    hours = sum(track.length for track in dataset.of("train")) / dataset.sample_rate / 3600
    renderings = max(1, min(data.renderings, int(_MOST_HOURS / max(hours, 1e-9))))
    coded = Coded(
        spec, [(t, tokenizer.encode(s)) for t in dataset.of("train") for s in _rendered(dataset, t, renderings, seed)]
    )
    held = Coded(spec, [(t, tokenizer.encode(_sound(dataset, t))) for t in dataset.of("val")])
    return Material(coded, held, spec.steps_per_second, "code", None, _order0(coded, held, spec), constants)


class Samples:
    """Levels looked up from samples."""

    def __init__(self, samples: np.ndarray, tracks: Sequence[Track], spec: Spec) -> None:
        codec = codec_of(spec)
        self.tracks = tracks
        self._samples, self._levels, self._pad = samples, level_table(codec).astype(np.int64), codec.pad_level

    def levels(self, start: int, stop: int, floor: int, end: int, through: np.ndarray | None = None) -> np.ndarray:
        known = self._samples[max(start, floor) : min(stop, end)]
        if through is not None:
            before = self._samples[max(floor, start - equaliser.TAPS + 1) : max(start, floor)]
            silence = np.zeros(equaliser.TAPS - 1 - len(before), np.int16)
            known = equaliser.heard(np.concatenate([silence, before, known]), through)
        known = known.view(np.uint16)
        found = np.full(stop - start, self._pad, np.int64)
        found[max(start, floor) - start :][: len(known)] = self._levels[known]
        return found

    def samples(self, start: int, stop: int) -> NDArray[np.int16]:
        return self._samples[start:stop]


class Coded:
    """Songs that were coded, one after the other; a song has a track for each of its renderings."""

    def __init__(self, spec: Spec, songs: Sequence[tuple[Track, NDArray[np.int32]]]) -> None:
        self.tracks, start = [], 0
        for track, codes in songs:
            self.tracks.append(dataclasses.replace(track, start=start, length=codes.size))
            start += codes.size
        rows = [codes.reshape(-1) for _, codes in songs]
        self.codes = np.concatenate(rows).astype(np.uint16) if rows else np.zeros(0, np.uint16)
        self._pad = codec_of(spec).pad_level

    def levels(self, start: int, stop: int, floor: int, end: int, through: np.ndarray | None = None) -> np.ndarray:
        found = np.full(stop - start, self._pad, np.int64)
        known = self.codes[max(start, floor) : min(stop, end)]
        found[max(start, floor) - start :][: len(known)] = known
        return found

    def samples(self, start: int, stop: int) -> NDArray[np.int16]:
        return np.zeros(0, np.int16)


def _constants(dataset: Dataset, spec: Spec, seed: int) -> Tensors:
    songs = [lambda track=track: _sound(dataset, track) for track in dataset.of("train")]
    return registry.fitted(spec, songs, spec, seed, through=_equalised)


def _sound(dataset: Dataset, track: Track) -> NDArray[np.float32]:
    """A track's samples, float32 in [-1, 1]."""
    samples = (dataset.train if track.split == "train" else dataset.val)[track.start : track.start + track.length]
    return np.asarray(samples, np.float32) / np.float32(32768)


def _equalised(sound: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    taps = equaliser.drawn(_EQUALISER_DB, int(draw.integers(1 << 31)), 0)
    return np.convolve(sound, taps)[: len(sound)].astype(np.float32)


def _rendered(dataset: Dataset, track: Track, count: int, seed: int) -> typing.Iterator[NDArray[np.float32]]:
    """A song as it is, then `count` - 1 times otherwise. The same for the same song, count and seed."""
    import soxr

    sound = _sound(dataset, track)
    yield sound
    draw = np.random.default_rng([seed, zlib.crc32(track.name.encode())])
    speeds = np.geomspace(*_SPEEDS, max(2, count))
    for number in range(1, count):
        other = _equalised(sound, draw)
        if number % _AS_IT_IS:
            rate = dataset.sample_rate
            other = soxr.resample(other, rate * float(speeds[number]), rate, "HQ").astype(np.float32)
        yield other[int(draw.integers(512)) :]


def _order0(train: Coded, val: Coded, spec: Spec) -> float:
    """Bits per code of guessing by each book's own histogram."""
    books, heard = spec.pace.steps, val.codes if val.codes.size else train.codes
    bits = []
    for book in range(books):
        model, seen = (np.bincount(codes[book::books], minlength=spec.q_levels) for codes in (train.codes, heard))
        bits.append(cost(seen, model, smooth=1))
    return float(np.mean(bits))
