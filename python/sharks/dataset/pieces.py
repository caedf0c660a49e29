"""One source file to pieces: a PCM file per track, and a table of what was found, so that nothing is decoded twice."""

from __future__ import annotations

import hashlib
import json
import math
import pathlib
import typing
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from ..errors import AudioError
from ..files.atomic import atomically
from ..sound.reading import Decoder, DecoderDied, Recording, at_rate, mixed
from ..sound.silence import SILENCE_DB, SilenceCutter
from ..sound.wav import to_pcm
from .dataset import VERSION, file_counts, measure
from .sources import Source, reason

SHORTEST = 0.1  # seconds of a track
LONGEST_FILE = 24 * 3600.0  # seconds; what follows is left out
OFFSET = 0.02  # of full scale; a DC offset beyond is noted
OVERDRIVEN = 0.001  # of the samples beyond full scale; more are noted


@dataclass(frozen=True)
class Settings:
    """What decides how one file becomes tracks."""

    sample_rate: int
    channels: str  # "mono": mixed down; "each": a track per channel
    trim_db: float
    longest_silence: float


class Piece(typing.NamedTuple):
    """One track in a PCM file of its own."""

    song: str  # the name of its file
    name: str  # of the track: the same, or with the number of the channel
    pcm: pathlib.Path
    facts: dict[str, typing.Any]  # length in samples, sha256, rms_db, peak, dc, entropy, format, rate, channels, notes


def fingerprint(source: Source, settings: Settings) -> str:
    """Changes with the place, size and time of the file, and with every setting."""
    identity = (VERSION, str(source.path.absolute()), source.size, source.changed, source.problem, settings)
    return hashlib.sha256(repr(identity).encode("utf-8", "backslashreplace")).hexdigest()[:24]


def pieces(
    source: Source, settings: Settings, folder: pathlib.Path, decoder: Decoder
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """The tracks of a file and what of it was skipped, (name, reason); from `folder` if they are there already."""
    table = folder / f"{fingerprint(source, settings)}.json"
    try:
        rows = json.loads(table.read_bytes())
    except (OSError, ValueError):
        rows = _rows(source, settings, table, decoder)
        with atomically(table) as file:
            file.write(json.dumps(rows).encode())
    several = settings.channels == "each" and len(rows) > 1
    made, skipped = [], []
    for channel, row in enumerate(rows):
        name = f"{source.name} channel {channel + 1}" if several else source.name
        if "skipped" in row:
            skipped.append((name, row["skipped"]))
        else:
            made.append(Piece(source.name, name, _pcm(table, channel), row))
    return made, skipped


def _rows(source: Source, settings: Settings, table: pathlib.Path, decoder: Decoder) -> list[dict[str, typing.Any]]:
    """A row per track: its facts, or why it was skipped. Nothing is left of a file that is skipped."""
    if source.problem:
        return [{"skipped": source.problem}]
    try:
        try:
            return _decode(source, settings, table, decoder)
        except DecoderDied:  # by this file, or by what an earlier one did to it: a new child tells
            return _decode(source, settings, table, decoder)
    except AudioError as error:
        for leftover in table.parent.glob(f"{table.stem}-*"):
            leftover.unlink()
        return [{"skipped": reason(error, source.path)}]


def _decode(source: Source, settings: Settings, table: pathlib.Path, decoder: Decoder) -> list[dict[str, typing.Any]]:
    """Write a PCM file per track; the rows."""
    recording = decoder.open(source.path)
    mix = _Mix(recording)
    heard = mix if settings.channels == "mono" else recording
    count = 1 if settings.channels == "mono" else recording.channels
    with ExitStack() as stack:
        tracks = [_Track(stack.enter_context(open(_pcm(table, c), "wb")), settings) for c in range(count)]
        for block in _no_longer(at_rate(heard, recording.rate, settings.sample_rate), settings.sample_rate):
            for track, samples in zip(tracks, block, strict=True):
                track.take(samples)
        for track in tracks:
            track.finish()
    if not recording.frames:
        raise AudioError("holds no samples; the file is empty or cut short")
    if recording.frames < SHORTEST * recording.rate:
        raise AudioError(f"too short: {recording.frames / recording.rate:.3g} s, wanted {SHORTEST} s or more")
    notes = _notes(recording, settings)
    return [_row(track, _pcm(table, c), recording, notes, mix, settings) for c, track in enumerate(tracks)]


class _Mix:
    """The mean of the channels, block by block; remembers what it costs where channels cancel each other."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._mixed = self._each = 0.0  # energies

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in self._recording:
            mix = next(mixed([block]))
            if len(block) > 1:
                self._mixed += float(np.square(mix, dtype=np.float64).sum())
                self._each += float(np.square(block, dtype=np.float64).mean(axis=0).sum())
            yield mix

    @property
    def cancels(self) -> bool:
        """Whether the mix is 6 dB weaker than unrelated channels would make it."""
        return self._mixed * 4 * self._recording.channels < self._each


class _Track:
    """One channel on its way to its file."""

    def __init__(self, file: typing.BinaryIO, settings: Settings) -> None:
        self._file = file
        self.silence = SilenceCutter(settings.sample_rate, settings.trim_db, settings.longest_silence)

    def take(self, samples: np.ndarray) -> None:
        for kept in self.silence.feed(samples):
            self._file.write(to_pcm(kept).astype("<i2").tobytes())

    def finish(self) -> None:
        for kept in self.silence.finish():
            self._file.write(to_pcm(kept).astype("<i2").tobytes())
        self._file.truncate(2 * self.silence.end)


def _no_longer(blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    frames = 0
    for block in blocks:
        yield block
        frames += block.shape[1]
        if frames >= LONGEST_FILE * rate:
            return


def _notes(recording: Recording, settings: Settings) -> list[str]:
    seconds = recording.frames / recording.rate
    notes = []
    if recording.cut:
        notes.append(f"breaks off early; the {seconds:.1f} s it holds are used")
    if seconds >= LONGEST_FILE:
        notes.append(f"only its first {LONGEST_FILE / 3600:.0f} hours are used")
    if recording.rate < settings.sample_rate:
        notes.append(f"recorded at {recording.rate} Hz, so nothing sounds above {recording.rate / 2000:g} kHz")
    notes += recording.notes
    if recording.gain < 1:
        over = f"{recording.peak:.3g}x full scale ({20 * math.log10(recording.peak):+.0f} dB)"
        notes.append(f"peaks at {over}, as float samples may; turned down to full scale")
    if recording.clipped > OVERDRIVEN * recording.frames * recording.channels:
        notes.append(f"peaks at {recording.peak:.2f}x full scale; what lay beyond is clipped")
    return notes


def _row(
    track: _Track, pcm: pathlib.Path, recording: Recording, notes: list[str], mix: _Mix, settings: Settings
) -> dict[str, typing.Any]:
    length = track.silence.end
    cancels = recording.channels > 1 and settings.channels == "mono" and mix.cancels
    facts = measure(file_counts(pcm)) if length else {}
    if not facts or _is_still(facts):
        trouble = "its channels cancel each other in the mix; prepare it with channels='each'" if cancels else ""
        return {"skipped": trouble or f"silent: never reaches {max(SILENCE_DB, settings.trim_db):.0f} dBFS"}
    notes = list(notes)
    if cancels:
        notes.append("its channels partly cancel each other in the mix")
    if abs(facts["dc"]) > OFFSET:
        notes.append(f"has a DC offset of {facts['dc']:+.3f}")
    if track.silence.cut:
        notes.append(f"{track.silence.cut / settings.sample_rate:.1f} s of silence inside are left out")
    with open(pcm, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    kind = {"format": recording.info.format, "rate": recording.rate, "channels": recording.channels}
    return {"length": length, "sha256": sha256, **facts, **kind, "notes": notes}


def _is_still(facts: dict[str, float]) -> bool:
    """Whether nothing but DC is there: what remains about the mean is silent."""
    return 10 ** (facts["rms_db"] / 10) - facts["dc"] ** 2 < 10 ** (SILENCE_DB / 10)


def _pcm(table: pathlib.Path, channel: int) -> pathlib.Path:
    return table.with_name(f"{table.stem}-{channel}.i16")
