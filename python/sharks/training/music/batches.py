"""Batches as a pure function of (seed, step), read from prepared music.

A chunk is a stretch of one track; it never crosses into another. A model that carries its state, such as a SampleRNN,
walks through its chunks window by window, and starts each one fresh, after a history of silence, as a free run will.
One that carries none, such as a WaveNet, takes single windows, each with a context of what really came before (silence
before the start of a track).
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator

import numpy as np

from ...dataset.dataset import Dataset, Track
from ...errors import AudioError
from ...families.spec import Spec
from ...recipes.recipe import DataRecipe, Recipe
from . import equaliser
from .material import Material, material_of

VALIDATION_SECONDS = 4.0  # of one stretch of held-out music, started fresh like a chunk


class Batch(typing.NamedTuple):
    """`levels` int64 [B, context + chunk_len]; `fresh` bool [B]: the stream starts a new chunk here."""

    levels: np.ndarray
    fresh: np.ndarray


class Stretch(typing.NamedTuple):
    """Samples [start, start + length) of a split's array, inside the track that begins at `floor`."""

    start: int
    length: int
    floor: int
    track: int


class Training:
    """The training split of a dataset, as batches."""

    def __init__(
        self, dataset: Dataset, spec: Spec, recipe: Recipe, seed: int, material: Material | None = None
    ) -> None:
        """`AudioError` if there is nothing to train on, or nothing but silence by the recipe's rule.

        `material`: the dataset as the spec hears it, where that is known already.
        """
        material = material_of(dataset, spec, recipe.data, seed) if material is None else material
        self.batch, self.seed, train = recipe.train.batch, seed, recipe.train
        self.chunk_len, self._equaliser_db = train.chunk_len, recipe.data.equaliser_db
        self.context = spec.context
        self._carries_state = spec.carries_state
        self._music, tracks = material.train, material.train.tracks
        whole = max(1, round(recipe.data.chunk_seconds * material.rate) // self.chunk_len) * self.chunk_len
        self._ends = [track.start + track.length for track in tracks]
        found = chunks(tracks, whole, recipe.data, material.rate, spec.pace.steps)
        taken = (self._music.samples(c.start, min(c.start + c.length, self._ends[c.track])) for c in found)
        silent = [_is_silent(samples, recipe.data, dataset.sample_rate) for samples in taken]
        self.chunks = [c for c, is_silent in zip(found, silent, strict=True) if not is_silent]
        self.silent = sum(silent)  # chunks left out
        if not self.chunks:
            raise AudioError(_all_silent(dataset, recipe.data, len(found)))
        self.windows = whole // self.chunk_len  # per chunk
        self._units = self.chunks if self._carries_state else self._windows_of(self.chunks)

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every chunk is heard once."""
        return len(self._units) * (self.windows if self._carries_state else 1) / self.batch

    def at(self, step: int, streams: slice = slice(None)) -> Batch:
        """The batch of a step, counted from 0, or some of its streams.

        It is the same for the same dataset, spec, recipe, seed and step.
        """
        items = [self._item(step, stream) for stream in range(self.batch)[streams]]
        return Batch(np.stack([levels for levels, _ in items]), np.array([fresh for _, fresh in items]))

    def _item(self, step: int, stream: int) -> tuple[np.ndarray, bool]:
        if not self._carries_state:
            number = step * self.batch + stream
            unit, through = self._unit(number), self._filter(number)
            stop = unit.start + self.chunk_len
            return self._music.levels(
                unit.start - self.context, stop, unit.floor, self._ends[unit.track], through
            ), True
        # Streams are spread over their chunks, so that a step hears beginnings and endings alike.
        turn, window = divmod(step + stream * self.windows // self.batch, self.windows)
        number = turn * self.batch + stream
        unit, through = self._unit(number), self._filter(number)
        start = unit.start + window * self.chunk_len
        floor, end = unit.start if window == 0 else unit.floor, self._ends[unit.track]
        return self._music.levels(start - self.context, start + self.chunk_len, floor, end, through), window == 0

    def _filter(self, number: int) -> np.ndarray | None:
        """What the unit that is heard as `number` is heard through."""
        return equaliser.drawn(self._equaliser_db, self.seed, number) if self._equaliser_db else None

    def _unit(self, index: int) -> Stretch:
        epoch, place = divmod(index, len(self._units))
        return self._units[_order(self.seed, epoch, len(self._units))[place]]

    def _windows_of(self, found: list[Stretch]) -> list[Stretch]:
        """The units where no state is carried: the windows of every chunk, without those behind a short track's end."""
        starts = ((c, start) for c in found for start in range(c.start, c.start + c.length, self.chunk_len))
        return [c._replace(start=start, length=self.chunk_len) for c, start in starts if start < self._ends[c.track]]


@functools.lru_cache(maxsize=8)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)


class Validation:
    """Stretches of the held-out split, each with the track it is from."""

    def __init__(
        self,
        dataset: Dataset,
        spec: Spec,
        recipe: Recipe,
        seconds: float | None,
        material: Material | None = None,
    ) -> None:
        """`seconds` spread evenly over the held-out tracks; None for all of them. `material` as for `Training`."""
        material = material_of(dataset, spec, recipe.data) if material is None else material
        self.context = spec.context
        self._fresh = spec.carries_state
        self._music, self.tracks = material.val, material.val.tracks
        unit = recipe.train.chunk_len if self._fresh else 1
        longest = round(VALIDATION_SECONDS * material.rate)
        every: list[Stretch] = []
        for number, track in enumerate(self.tracks):
            length = max(1, min(longest, track.length) // unit) * unit
            last = max(0, track.length - length)
            every += [Stretch(track.start + s, length, track.start, number) for s in range(0, last + 1, length)]
        wanted = len(every) if seconds is None else round(seconds / VALIDATION_SECONDS)
        wanted = min(len(every), max(len(self.tracks), wanted))
        self.stretches = [every[i * len(every) // wanted] for i in range(wanted)]

    def by_track(self, batch: int) -> Iterator[tuple[str, list[Stretch]]]:
        """The stretches in groups of at most `batch` from one track, with its name."""
        for number, track in enumerate(self.tracks):
            own = [s for s in self.stretches if s.track == number]
            for start in range(0, len(own), batch):
                yield track.name, own[start : start + batch]

    def levels(self, stretch: Stretch) -> np.ndarray:
        """Context and stretch, int64 [context + length]."""
        track = self.tracks[stretch.track]
        floor = stretch.start if self._fresh else track.start
        start, stop = stretch.start - self.context, stretch.start + stretch.length
        return self._music.levels(start, stop, floor, track.start + track.length)


def chunks(tracks: typing.Sequence[Track], length: int, data: DataRecipe, rate: float, frame: int = 1) -> list[Stretch]:
    """Every chunk of `length` levels. A track's end has a chunk of its own; a shorter track is one chunk.

    Chunks begin where a frame of so many levels does.
    """
    if data.chunks:
        return _spread(tracks, length, data.chunks, frame)
    hop = max(1, round(data.hop_seconds * rate / frame)) * frame
    found = []
    for number, track in enumerate(tracks):
        last = max(0, track.length - length)
        starts = [*range(0, last, hop), last]
        found += [Stretch(track.start + s, length, track.start, number) for s in starts]
    return found


def _spread(tracks: typing.Sequence[Track], length: int, count: int, frame: int) -> list[Stretch]:
    """`count` chunks whose starts are evenly spread over all places where one can start."""
    room = [max(1, track.length - length + 1) for track in tracks]
    ends = np.cumsum(room)
    found = []
    for i in range(count):
        place = i * int(ends[-1]) // count
        number = int(np.searchsorted(ends, place, side="right"))
        start = tracks[number].start + place - (int(ends[number]) - room[number])
        floor = tracks[number].start
        found.append(Stretch(floor + (start - floor) // frame * frame, length, floor, number))
    return found


def _all_silent(dataset: Dataset, data: DataRecipe, count: int) -> str:
    return (
        f"{dataset.path}: {count} chunks to train on, all silent: each has {data.silence_seconds * 1000:g} ms at or "
        f"below {data.silence_db:g} dBFS; music with rests is none the worse for them: set data.silence_db to -inf "
        "(--set data.silence_db=-inf), or choose a preset without that rule, such as dadabots-2tier"
    )


def _is_silent(samples: np.ndarray, data: DataRecipe, rate: int) -> bool:
    """Whether `silence_seconds` in a row lie at or below `silence_db`, in steps of a tenth of that."""
    step = max(1, round(data.silence_seconds * rate / 10))
    if data.silence_db == float("-inf") or len(samples) < 10 * step:
        return False
    taken = samples[: len(samples) // step * step].astype(np.float64) / 32768
    power = (taken.reshape(-1, step) ** 2).mean(axis=1)
    return bool(np.convolve(power, np.ones(10) / 10, "valid").min() <= 10 ** (data.silence_db / 10))
