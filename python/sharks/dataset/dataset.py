"""What `prepare` leaves behind: one memory-mapped array of samples per split, and a table of where each track lies.

dataset/train.i16  dataset/val.i16     int16 mono PCM, native rate of the dataset, amplitude = value / 32768
dataset/dataset.json                   tracks, skipped files, settings, order-0 statistics
dataset/places.json                    where the music lies, for people and for `prepare`; nothing depends on it
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioError
from ..levels.quantize import Codec, codec_of

FORMAT, VERSION = "sharks-dataset", 1
SPLITS = ("train", "val")
LITTLE = 20.0  # minutes of training music; less is learnt by heart rather than generalised from
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Track:
    """One track of one split. `start` and `length` are in samples of the split's array."""

    name: str
    split: str  # "train" or "val"
    start: int
    length: int
    minutes: float
    rms_db: float
    peak: float
    dc: float
    entropy: float  # order-0, bits per sample under MU-R with 256 levels
    format: str  # of the file it came from
    rate: int  # of that file, Hz
    channels: int  # of that file
    sha256: str  # of the samples of the whole track
    notes: tuple[str, ...] = ()  # what a listener should know: cut short, clipped, DC, ...


class Skipped(typing.NamedTuple):
    """A file, or a channel of it, that is not in the dataset, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Prepared music. `train` and `val` are read-only int16 arrays (n,), amplitude = value / 32768."""

    path: pathlib.Path
    sample_rate: int
    tracks: tuple[Track, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    train: NDArray[np.int16]
    val: NDArray[np.int16]
    histogram: NDArray[np.int64]  # int64 (256,): how often each MU-R level occurs in the training split
    entropy_bits: float  # order-0, of the training split
    val_bits: float  # what the training split's frequencies cost on the validation split; NaN without one
    fingerprint: str  # changes with every sample, split or setting

    @property
    def hours(self) -> float:
        return (len(self.train) + len(self.val)) / self.sample_rate / 3600

    @property
    def minutes_to_learn(self) -> float:
        """Minutes of music that are not held out."""
        return sum(track.minutes for track in self.of("train"))

    def of(self, split: str) -> tuple[Track, ...]:
        """The tracks of a split, in the order of its array."""
        return tuple(track for track in self.tracks if track.split == split)

    def order0(self, codec: Codec) -> tuple[float, float]:
        """Order-0 entropy of the training split, and its cost on the validation split: bits per sample."""
        counts = [level_counts(pcm_counts(samples), codec) for samples in (self.train, self.val)]
        return cost(counts[0], counts[0]), cost(counts[1], counts[0], smooth=1)

    def report(self) -> str:
        """What was used and what was not, as a table to print."""
        width = min(48, max([4, *(len(track.name) for track in self.tracks)]))
        lines = [f"{'track':{width}}  split  min:sec   dBFS   peak  bits"]
        for track in self.tracks:
            seconds = round(track.minutes * 60)
            lines.append(
                f"{_short(track.name, width):{width}}  {track.split:5}  {seconds // 60:4d}:{seconds % 60:02d}  "
                f"{track.rms_db:5.1f}  {track.peak:5.3f}  {track.entropy:4.2f}"
            )
            lines += [f"{'':{width}}  {note}" for note in track.notes]
        if self.skipped:
            lines += ["", f"skipped {len(self.skipped)}:"]
            lines += [f"  {_short(name, 60)}: {reason}" for name, reason in self.skipped]
        minutes = [len(samples) / self.sample_rate / 60 for samples in (self.train, self.val)]
        used = f"{minutes[0]:.1f} min to train on, {minutes[1]:.1f} min to validate, at {self.sample_rate} Hz"
        held_out = "" if math.isnan(self.val_bits) else f", {self.val_bits:.2f} for what is held out"
        bits = f"guessing costs {self.entropy_bits:.2f} bits per sample (order-0 entropy){held_out}"
        return "\n".join([*lines, "", used, bits, *(f"note: {warning}" for warning in self.warnings)])


def load_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Open a folder that `prepare` made. `AudioError` if it is none, is unfinished or has lost samples."""
    folder = pathlib.Path(path)
    table = read_table(folder)
    if table is None:
        raise AudioError(f"{folder}: is no dataset; make one with `sharks prepare`")
    if not table.get("complete"):
        raise AudioError(f"{folder}: its preparation did not finish; run the same `sharks prepare` again")
    try:
        tracks = tuple(Track(**{**row, "notes": tuple(row["notes"])}) for row in table["tracks"])
        arrays = [_samples(folder / f"{split}.i16", table["samples"][split]) for split in SPLITS]
        for track in tracks:
            if not 0 <= track.start <= track.start + track.length <= len(arrays[SPLITS.index(track.split)]):
                raise AudioError(f"{folder}: track {track.name} lies outside its split; prepare it again")
        return Dataset(
            path=folder,
            sample_rate=int(table["sample_rate"]),
            tracks=tracks,
            skipped=tuple(Skipped(**row) for row in table["skipped"]),
            warnings=tuple(table["warnings"]),
            train=arrays[0],
            val=arrays[1],
            histogram=np.array(table["order0"]["histogram"], np.int64),
            entropy_bits=float(table["order0"]["train_bits"]),
            val_bits=float(table["order0"]["val_bits"] if table["order0"]["val_bits"] is not None else math.nan),
            fingerprint=str(table["fingerprint"]),
        )
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise AudioError(f"{folder}: dataset.json is damaged ({error!r}); prepare it again") from None


def read_table(folder: pathlib.Path) -> dict[str, typing.Any] | None:
    """The dataset.json of a folder, finished or not; None if there is none of ours. Newer versions: `AudioError`."""
    try:
        table = json.loads((folder / "dataset.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        return None
    if table.get("version") != VERSION:
        raise AudioError(f"{folder}: is a dataset of version {table.get('version')}; this sharks reads {VERSION}")
    return table


def level_table(codec: Codec) -> NDArray[np.int32]:
    """int32 (65536,): the level of every PCM value, so that levels are `level_table(codec)[pcm.view(np.uint16)]`."""
    return codec.encode(np.arange(1 << 16, dtype=np.uint16).view(np.int16) / np.float32(32768))


def pcm_counts(pcm: NDArray[np.int16]) -> NDArray[np.int64]:
    """int64 (65536,): how often each int16 value occurs, lowest first."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(pcm), _CHUNK):
        counts += np.bincount(pcm[start : start + _CHUNK].astype(np.int32) + 32768, minlength=1 << 16)
    return counts


def file_counts(path: str | os.PathLike[str]) -> NDArray[np.int64]:
    """`pcm_counts` of a file that is read, not mapped: mapped pages would count as memory of this process."""
    counts = np.zeros(1 << 16, np.int64)
    with open(path, "rb") as file:
        while (block := np.fromfile(file, "<i2", _CHUNK)).size:
            counts += pcm_counts(block)
    return counts


def level_counts(counts: NDArray[np.int64], codec: Codec) -> NDArray[np.int64]:
    """int64 (q_levels,): how often each level occurs, by `pcm_counts`."""
    levels = np.roll(level_table(codec), 32768)  # lowest value first
    return np.bincount(levels, weights=counts, minlength=codec.q_levels).astype(np.int64)


def cost(counts: NDArray[np.int64], model: NDArray[np.int64], smooth: int = 0) -> float:
    """Mean bits per sample that symbols counted in `counts` cost under the frequencies of `model`; NaN for none.

    `smooth` is added to every count of the model, so that what it has never seen costs much but not everything.
    """
    if not counts.sum():
        return math.nan
    seen = counts > 0
    share = (model[seen] + smooth) / (model.sum() + smooth * len(model))
    return float(-(counts[seen] * np.log2(share)).sum() / counts.sum()) + 0.0


def measure(counts: NDArray[np.int64]) -> dict[str, float]:
    """rms_db (at least -120), peak, dc and order-0 entropy (MU-R) of at least one sample, by `pcm_counts`."""
    values = np.arange(-32768, 32768) / 32768
    seen = values[counts > 0]
    power = float((counts * values**2).sum() / counts.sum())
    levels = level_counts(counts, codec_of("MU-R"))
    return {
        "rms_db": round(10 * math.log10(power + 1e-12), 2),
        "peak": float(np.abs(seen).max()),
        "dc": float((counts * values).sum() / counts.sum()),
        "entropy": round(cost(levels, levels), 4),
    }


def _samples(path: pathlib.Path, count: int) -> NDArray[np.int16]:
    """The int16 array of a split, mapped read-only. `AudioError` unless the file holds exactly `count` samples."""
    try:
        size = path.stat().st_size
    except OSError:
        size = -1
    if size != 2 * count:
        raise AudioError(f"{path}: holds {max(size, 0) // 2} samples, wanted {count}; prepare it again")
    return np.memmap(path, "<i2", "r") if count else np.zeros(0, np.int16)  # an empty file cannot be mapped


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width // 2 - 1] + "..." + name[-(width - width // 2 - 2) :]
