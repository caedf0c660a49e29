"""Reading audio safely: any file libsndfile or ffmpeg knows, block by block, decoded in a child process.

    with Decoder() as decoder:                       # one child for many files
        recording = decoder.open("song.mp3")         # AudioError, in one sentence, if it cannot be used
        for block in at_rate(recording, recording.rate, 16000):
            ...                                      # float32 (channels, n) in [-1, 1], finite

Memory stays bounded however long the file is or claims to be. What goes wrong inside a decoder ends the child.
"""

from __future__ import annotations

import json
import os
import stat
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import AudioError, UsageError
from . import records
from .bounds import LEAST_RATE, LOUDEST, MOST_RATE
from .child import Child, ChildDied
from .decode_worker import PATIENCE

MOST_IN_MEMORY = 1 << 30  # bytes that `read_audio` returns at most


class DecoderDied(AudioError):
    """The child crashed or hung on a file, or had been damaged by the files before it."""


@dataclass(frozen=True)
class Info:
    """What the header of a file says: rate in Hz, channels, frames, and libsndfile's name of the format."""

    rate: int
    channels: int
    frames: int
    format: str

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


class Recording:
    """One file on its way: the header's facts at once, the samples when iterated (once).

    Yields float32 blocks (channels, n), finite and held to [-1, 1]. `AudioError` where the whole file must not be used:
    NaN or infinite samples, a peak beyond 4 x full scale (64 x where the file holds float samples), a decoder that
    crashed or hung. `gain` is below 1 where float samples beyond 4 x full scale were turned down to it. After the last
    block, `cut` says whether the file broke off early, `clipped` how many samples lay beyond full scale, `peak` how
    far (before the gain), and `notes` what of the file was not read, or is otherwise odd.
    """

    def __init__(self, name: str, info: Info, answer: Iterator[tuple[bytes, bytes]], gain: float = 1.0) -> None:
        self.name, self.info, self.gain = name, info, gain
        self.rate, self.channels = info.rate, info.channels
        self.frames, self.peak, self.clipped, self.cut = 0, 0.0, 0, False
        self.notes: list[str] = []
        self._answer = answer

    def __iter__(self) -> Iterator[np.ndarray]:
        for kind, payload in self._answer:
            if kind == records.DONE:
                facts = json.loads(payload)
                self.cut, self.notes = facts["cut"], facts["notes"]
                return
            block = np.frombuffer(payload, np.float32).reshape(-1, self.channels).T
            if block.size:
                yield self._held(block)

    def _held(self, block: np.ndarray) -> np.ndarray:
        peak = float(max(block.max(), -block.min()))
        if not np.isfinite(peak):
            raise AudioError(f"{self.name}: holds NaN or infinite samples; export it again from its source")
        if self.gain != 1:
            self.peak, block = max(self.peak, peak), block * np.float32(self.gain)
            peak = 1.0
        if peak > LOUDEST:
            raise AudioError(f"{self.name}: decoded peak is {peak:.4g}x full scale; the file is corrupt")
        self.frames += block.shape[1]
        self.peak = max(self.peak, peak)
        if peak > 1:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
            block = np.clip(block, -1, 1)
        return np.clip(block, -1, 1) if self.gain != 1 else block


class Decoder:
    """A child process that decodes file after file; a context manager, for one thread.

    The child is held to 448 MB and 4 s per block, and is started anew when a file kills it.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._busy = False

    def open(self, path: str | os.PathLike[str]) -> Recording:
        """Begin to decode `path`. What is not a readable audio file is an `AudioError` of one sentence.

        Devices, pipes and sockets are never opened. An earlier recording of this decoder ends here.
        """
        answer, facts, gain = self._ask(path, header_alone=False)
        return Recording(shown(path), facts, answer, gain)

    def header(self, path: str | os.PathLike[str]) -> Info:
        """What the header of `path` says, and the child is free for the next file. Else like `open`."""
        answer, facts, _ = self._ask(path, header_alone=True)
        next(answer)  # which ends it
        return facts

    def _ask(
        self, path: str | os.PathLike[str], header_alone: bool
    ) -> tuple[Iterator[tuple[bytes, bytes]], Info, float]:
        """The rest of the answer, the facts that it begins with, and the gain of the samples."""
        regular_file(path)
        if self._busy or (self._child and self._child.dead):  # left in the middle, or dead
            self.close()
        child = self._child = self._child or Child()
        self._busy = True
        child.ask(os.path.abspath(os.fsdecode(path)), header_alone)
        answer = self._answer(child, shown(path))
        facts = json.loads(next(answer)[1])
        gain = facts.pop("gain")
        return answer, Info(**facts), gain

    def close(self) -> None:
        child, self._child, self._busy = self._child, None, False
        if child is not None:
            child.close()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, child: Child, name: str) -> Iterator[tuple[bytes, bytes]]:
        """The child's answer about one file: info, data ..., done; or `AudioError`."""
        expected = {records.INFO, records.REFUSED}
        while True:
            try:
                kind, payload = child.answer()
                if kind not in expected:
                    raise ChildDied
            except ChildDied:
                self.close()
                raise DecoderDied(
                    f"{name}: its decoder crashed or took over {PATIENCE:.0f} s; the file is damaged"
                ) from None
            if kind == records.REFUSED:
                self._busy = False
                raise AudioError(f"{name}: {payload.decode()}")
            expected = {records.DATA, records.DONE, records.REFUSED}
            self._busy = kind != records.DONE
            yield kind, payload


def info(path: str | os.PathLike[str]) -> Info:
    """The header of an audio file. A header may lie: only decoding tells how much there is."""
    with Decoder() as decoder:
        return decoder.header(path)


def read_audio(
    path: str | os.PathLike[str],
    rate: int | None = None,
    mono: bool = False,
    *,
    seconds: float | None = None,
    decoder: Decoder | None = None,
) -> tuple[np.ndarray, int]:
    """A whole file, or its first `seconds`, as float32 (channels, n) in [-1, 1], and its rate in Hz.

    Resampled when `rate` is given, mixed down to (1, n) when `mono`. Pass a `Decoder` to read many files quickly.
    `AudioError`: a file that cannot be used, holds no sample, or is larger than 1 GiB of memory.
    """
    if decoder is None:
        with Decoder() as decoder:
            return read_audio(path, rate, mono, seconds=seconds, decoder=decoder)
    recording = decoder.open(path)
    target = rate or recording.rate
    wanted = None if seconds is None else max(0, round(seconds * target))
    kept, frames = [], 0
    for block in at_rate(mixed(recording) if mono else recording, recording.rate, target):
        kept.append(block)
        frames += block.shape[1]
        if wanted is not None and frames >= wanted:
            break
        if frames * block.shape[0] * 4 > MOST_IN_MEMORY:
            minutes = frames / target / 60
            raise AudioError(f"{shown(path)}: is over {minutes:.0f} minutes long; pass a shorter part of it")
    if not frames:
        raise AudioError(f"{shown(path)}: holds no samples; the file is empty or cut short")
    return np.concatenate(kept, axis=1)[:, :wanted], target


def mixed(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Blocks (channels, n) to (1, n): the mean of the channels."""
    for block in blocks:
        yield block if len(block) == 1 else block.mean(axis=0, keepdims=True)


def at_rate(blocks: Iterable[np.ndarray], source: int, target: int) -> Iterator[np.ndarray]:
    """Blocks float32 (channels, n) from `source` Hz to `target` Hz, held to [-1, 1], in bounded memory (soxr, HQ)."""
    if not LEAST_RATE <= target <= MOST_RATE:
        raise UsageError(f"rate is {target} Hz; wanted {LEAST_RATE} to {MOST_RATE}")
    if source == target:
        yield from blocks
        return
    import soxr

    stream = None
    for block in blocks:
        stream = stream or soxr.ResampleStream(source, target, len(block), dtype="float32", quality="HQ")
        out = stream.resample_chunk(np.ascontiguousarray(block.T))
        if len(out):
            yield np.clip(out.T, -1, 1)
        channels = len(block)
    if stream is not None:
        out = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        if len(out):
            yield np.clip(out.T, -1, 1)


def regular_file(path: str | os.PathLike[str]) -> os.stat_result:
    """The stat of `path` if it is a file with something in it; else `AudioError`. Opens nothing."""
    name = shown(path)
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise AudioError(f"{name}: cannot be opened ({getattr(error, 'strerror', error)})") from None
    if stat.S_ISDIR(found.st_mode):
        raise AudioError(f"{name}: is a folder; wanted an audio file")
    if not stat.S_ISREG(found.st_mode):
        raise AudioError(f"{name}: is a pipe, socket or device, which is never opened; wanted a file")
    if found.st_size == 0:
        raise AudioError(f"{name}: is empty (0 bytes)")
    return found


def shown(path: str | os.PathLike[str]) -> str:
    """A path as it may be printed: on one line, whatever bytes its name holds."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fsdecode(path))
