"""Clips on disk: one WAV per stream that grows while it is played, and the way back from a WAV to its levels.

A level's amplitude survives 16 bits as long as no two levels share a 16-bit value, which holds for every codec with 256
levels. Then a WAV is as good as the levels, and any other sample in it shows that the file was edited.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pathlib
import shutil
import typing
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioError, ResourceError, UsageError
from ..levels.quantize import Codec
from ..sound.collapse import told_apart
from ..sound.reading import Decoder
from ..sound.wav import HEADER_BYTES, WavWriter, begins_as_written, to_pcm, write_wav

SUFFIX = ".wav"
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
BLOCK_BYTES = 1 << 20  # read at a time; whole samples


def file_name(stream: int) -> str:
    """Of a stream's clip: digits only, so that it is good on every system."""
    return f"{stream:04d}{SUFFIX}"


def check_room(folder: pathlib.Path, needed: int) -> None:
    """`ResourceError` where the disk cannot hold so many bytes more."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        unit, name = next((one for one in _UNITS if needed >= one[0]), _UNITS[-1])
        wanted, left = told_apart(needed / unit, free / unit, 1)
        raise ResourceError(f"{folder}: {wanted} {name} are needed, {left} {name} are free; make room")


def check_levels_survive(codec: Codec) -> None:
    """`UsageError` where 16 bits cannot tell the levels of a codec apart."""
    if len(np.unique(to_pcm(codec.decode_table()))) < codec.q_levels:
        raise UsageError(
            f"out is given, but 16-bit WAV cannot tell {codec.q_levels} levels of {codec.id} apart; leave out=None"
        )


class ClipWriters:
    """WAV files that are written side by side; a context manager. `paths`, one per stream (n).

    `keep`: go on with the files that are there, after so many samples; `AudioError` where one holds fewer. `digests`
    are those of the `WavWriter`s.
    """

    def __init__(self, paths: Sequence[pathlib.Path], codec: Codec, sample_rate: int, keep: int = 0) -> None:
        self._table = codec.decode_table()
        self._wavs: list[WavWriter] = []
        try:
            for path in paths:
                self._wavs.append(WavWriter(path, sample_rate, keep=keep) if keep else _begin_wav(path, sample_rate))
        except BaseException as error:
            self.close()
            for wav in self._wavs if not keep else ():  # which are empty
                pathlib.Path(wav.path).unlink(missing_ok=True)
            if getattr(error.__context__, "errno", None) == errno.EMFILE:
                raise ResourceError(
                    f"{len(paths)} clips at once, but the system opens only about {len(self._wavs)} files; "
                    "generate in several calls, or let it open more (ulimit -n)"
                ) from None
            raise

    def write(self, levels: NDArray[typing.Any]) -> None:
        """Append levels int (n, count)."""
        for wav, row in zip(self._wavs, levels, strict=True):
            wav.write(self._table[row])

    @property
    def digests(self) -> list[str]:
        return [wav.digest for wav in self._wavs]

    def sync(self) -> None:
        """Wait until the disk has them; `ResourceError` where it has not."""
        for wav in self._wavs:
            wav.sync()

    def close(self) -> None:
        for wav in self._wavs:
            wav.close()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin_wav(path: pathlib.Path, sample_rate: int) -> WavWriter:
    """A WAV that has its name only when it has its header: a file of no bytes would be no WAV."""
    unfinished = unfinished_path(path)
    wav = WavWriter(unfinished, sample_rate)
    os.replace(unfinished, path)
    wav.path = path
    return wav


def unfinished_path(path: pathlib.Path) -> pathlib.Path:
    """Where a clip is made that must not have its name yet."""
    return path.with_name(f".{path.name}.unfinished")


class LevelReader:
    """Reads clips back as levels, file after file; a context manager."""

    def __init__(self, codec: Codec, sample_rate: int) -> None:
        check_levels_survive(codec)
        self._level_of = np.full(1 << 16, -1, np.int32)  # of every 16-bit value; -1: none
        self._level_of[_place(codec.decode_table())] = np.arange(codec.q_levels)
        self._sample_rate, self._decoder = sample_rate, Decoder()

    def read(self, path: str | os.PathLike[str]) -> Iterator[NDArray[np.int32]]:
        """The levels of a clip, block by block: int32 (count,). `AudioError` where the file is not the one we wrote."""
        recording = self._decoder.open(path)
        got, wanted = (recording.channels, recording.rate), (1, self._sample_rate)
        if got != wanted:
            raise AudioError(f"{path}: has (channels, rate) {got}, wanted {wanted}; take the clip as it was generated")
        for block in recording:
            levels = self._level_of[_place(block[0])]
            if levels.min() < 0:
                raise AudioError(f"{path}: was changed after it was generated; take the clip as it was")
            yield levels

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()


def _place(amplitudes: NDArray[np.float32]) -> NDArray[np.int32]:
    """Where a table of all 16-bit values holds these."""
    return to_pcm(amplitudes).astype(np.int32) + 32768


def is_as_written(path: pathlib.Path, codec: Codec, *, whole: bool) -> bool:
    """Whether a clip may be what we wrote, finished or not: nobody saved it anew, and no sample is none of the codec's.

    `whole`: look at every sample, not at the header alone. A file of no bytes holds nothing that could be lost.
    """
    ours = np.zeros(1 << 16, bool)
    ours[_place(codec.decode_table())] = True
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
        if not begins_as_written(head):
            return not head
        while whole and len(block := file.read(BLOCK_BYTES)) > 1:
            if not ours[np.frombuffer(block, "<i2", len(block) // 2).astype(np.int32) + 32768].all():
                return False
    return True


def primer_path(folder: pathlib.Path, sha256: str) -> pathlib.Path:
    """Where a folder of clips keeps the primer with these levels: in a folder of its own, for it is no clip."""
    return folder / "primers" / f"{sha256[:16]}{SUFFIX}"


def keep_primer(folder: pathlib.Path, levels: NDArray[np.int32], codec: Codec, sample_rate: int) -> str:
    """Write a primer (samples,) beside its clips, so that they can be extended, and return its digest."""
    digest = primer_sha256(levels)
    path = primer_path(folder, digest)
    if not path.exists():
        make_folder(path.parent)
        write_wav(path, codec.decode_table()[levels], sample_rate)
    return digest


def primer_sha256(levels: NDArray[np.int32]) -> str:
    """The digest of a primer's levels, int32 little-endian."""
    return hashlib.sha256(levels.astype("<i4").tobytes()).hexdigest()


def make_folder(folder: pathlib.Path) -> None:
    """Make a folder, unless it is there; `ResourceError` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ResourceError(f"{folder}: cannot be made a folder ({reason}); choose another place") from None
