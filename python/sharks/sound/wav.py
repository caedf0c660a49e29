"""Writing WAV files that are whole at every moment, however long they become.

The length fields of the header are brought up to date after every block, so a recording that is interrupted (Ctrl-C,
kill -9, a full disk) opens in any player, up to the last block that was written.

    RIFF WAVE   JUNK (28 bytes)   fmt   data        up to 4 GiB
    RF64 WAVE   ds64 (28 bytes)   fmt   data        beyond

The 32-bit lengths of RIFF end at 4 GiB. There the same 80 bytes become the header of an RF64 file (EBU Tech 3306): the
chunk that was kept free holds the lengths in 64 bits, and no sample moves.
"""

from __future__ import annotations

import hashlib
import os
import struct
import types
import typing

import numpy as np

from ..errors import AudioError, ResourceError, UsageError
from ..files.atomic import atomically
from .shapes import as_sound

_HEADER = struct.Struct("<4sI4s 4sIQQQI 4sIHHIIHH 4sI")
_LENGTHS = struct.calcsize("<QQQI")  # in ds64: of the file, of the samples, how many samples, of a table that is empty
_ALL_ONES = 2**32 - 1  # in a 32-bit length field of RF64: look into ds64
HEADER_BYTES = _HEADER.size
MOST_RIFF_BYTES = 2**32 - 1  # after the first eight
_READ_BYTES = 1 << 20


class WavWriter:
    """A 16-bit PCM file, WAV or beyond 4 GiB RF64, that grows block by block.

    `rate` in Hz, `write` takes float (channels, n), or (n,) for one channel, in [-1, 1]. Amplitude a is stored as
    round(32768 a), held to -32768..32767: libsndfile and `read_audio` read such a value back as stored / 32768, so
    writing what was read changes nothing. Louder samples are held at full scale and counted in `clipped`; NaN and
    infinity are refused with `AudioError`. A full disk raises `ResourceError`; what was written before stays readable.

    `keep`: go on with the file that is there, after so many of its frames; `AudioError` where it holds fewer.
    `digest` is the SHA-256 of all frames so far, as they lie in the file.
    """

    def __init__(
        self, path: str | os.PathLike[str] | typing.BinaryIO, rate: int, channels: int = 1, *, keep: int = 0
    ) -> None:
        if not 1 <= rate < 2**32:
            raise UsageError(f"rate is {rate}; a WAV file wants 1 Hz or more")
        if not 1 <= channels <= 65535:
            raise UsageError(f"channels is {channels}; a WAV file wants 1 to 65535")
        self.rate, self.channels = int(rate), int(channels)
        self.path = path if isinstance(path, (str, os.PathLike)) else path.name
        self.frames = keep  # written so far
        self.clipped = 0  # samples beyond full scale
        self._sha256 = hashlib.sha256()
        mode: typing.Any = "r+b" if keep else "wb"
        try:
            self._file = open(path, mode, buffering=0) if isinstance(path, (str, os.PathLike)) else path
        except OSError as error:
            raise ResourceError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
        try:
            self._hear_again()
            self._put(0, self._header())
            if keep:
                self._file.truncate(HEADER_BYTES + self._data_bytes)
        except BaseException:
            self.close()
            raise

    def write(self, samples: np.ndarray) -> None:
        """Append float samples (channels, n) or, for one channel, (n,)."""
        block = np.atleast_2d(np.asarray(samples))
        if block.ndim != 2 or block.shape[0] != self.channels or block.dtype.kind != "f":
            raise UsageError(
                f"{self.path}: got {block.dtype} of shape {np.shape(samples)}; wanted float ({self.channels}, n)"
            )
        if not np.isfinite(block).all():
            raise AudioError(f"{self.path}: got NaN or infinite samples, which would be a loud click; none written")
        self.clipped += int(np.count_nonzero(np.abs(block) > 1))
        pcm = to_pcm(block).T.astype("<i2").tobytes()
        self._put(HEADER_BYTES + self._data_bytes, pcm)
        self.frames += block.shape[1]
        self._sha256.update(pcm)
        self._put(0, self._header())  # after the samples, so that the header never promises too much

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()

    def sync(self) -> None:
        """Wait until the disk has all of it; `ResourceError` where that tells only now that it has not."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ResourceError(f"{self.path}: did not reach the disk ({error.strerror}); write it again") from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.close()

    @property
    def _data_bytes(self) -> int:
        return 2 * self.channels * self.frames

    def _header(self) -> bytes:
        data, frame = self._data_bytes, 2 * self.channels
        riff = data + HEADER_BYTES - 8
        fmt = (b"fmt ", 16, 1, self.channels, self.rate, min(self.rate * frame, 2**32 - 1), frame % 65536, 16)
        if riff <= MOST_RIFF_BYTES:
            return _HEADER.pack(b"RIFF", riff, b"WAVE", b"JUNK", _LENGTHS, 0, 0, 0, 0, *fmt, b"data", data)
        lengths = (riff, data, self.frames, 0)
        return _HEADER.pack(b"RF64", _ALL_ONES, b"WAVE", b"ds64", _LENGTHS, *lengths, *fmt, b"data", _ALL_ONES)

    def _hear_again(self) -> None:
        """Take the frames that are kept into the digest."""
        rest = self._data_bytes
        if rest:
            self._file.seek(HEADER_BYTES)
        while rest:
            block = self._file.read(min(rest, _READ_BYTES))
            if not block:
                raise AudioError(f"{self.path}: holds fewer than {self.frames} frames; begin it again")
            self._sha256.update(block)
            rest -= len(block)

    def _put(self, position: int, data: bytes) -> None:
        try:
            self._file.seek(position)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise ResourceError(
                f"{self.path}: writing stopped after {self.frames / self.rate:.1f} s ({error.strerror}); "
                "what was written before can be played"
            ) from None


def begins_as_written(head: bytes) -> bool:
    """Whether a file with these first `HEADER_BYTES` is one of `WavWriter`: other programs keep no room for RF64."""
    if len(head) < HEADER_BYTES:
        return False
    riff, _, wave, room, *_, fmt, _, _, _, _, _, _, _, data, _ = _HEADER.unpack(head[:HEADER_BYTES])
    return (riff, room) in ((b"RIFF", b"JUNK"), (b"RF64", b"ds64")) and (wave, fmt, data) == (b"WAVE", b"fmt ", b"data")


def write_wav(path: str | os.PathLike[str], samples: np.ndarray, rate: int) -> None:
    """Write float samples (channels, n) or (n,) as one 16-bit WAV file: all of it, or nothing; else as `WavWriter`.

    `UsageError`: more than 64 channels, or more channels than samples, as of an array (n, channels).
    """
    samples = np.atleast_2d(as_sound("samples", samples))
    with atomically(path) as file:
        wav = WavWriter(file, rate, samples.shape[0])
        for start in range(0, samples.shape[1], 1 << 18):
            wav.write(samples[:, start : start + (1 << 18)])


def to_pcm(samples: np.ndarray) -> np.ndarray:
    """Float amplitudes to int16: round(32768 a) to even, held at full scale. Same shape."""
    return np.clip(np.rint(np.asarray(samples, np.float32) * 32768), -32768, 32767).astype(np.int16)
