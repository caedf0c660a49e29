"""Writing WAV files that are whole at every moment.

The length fields of the header are brought up to date after every block, so a recording that is interrupted (Ctrl-C,
kill -9, a full disk) opens in any player, up to the last block that was written.
"""

from __future__ import annotations

import os
import struct
import types
import typing

import numpy as np

from .atomic import atomically
from .errors import AudioError, ResourceError, UsageError

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
MOST_DATA_BYTES = 2**32 - 1 - _HEADER.size  # the length fields have 32 bits


class WavWriter:
    """A 16-bit PCM WAV file that grows block by block.

    `rate` in Hz, `write` takes float (channels, n), or (n,) for one channel, in [-1, 1]. Amplitude a is stored as
    round(32768 a), held to -32768..32767: libsndfile and `read_audio` read such a value back as stored / 32768, so
    writing what was read changes nothing. Louder samples are held at full scale and counted in `clipped`; NaN and
    infinity are refused with `AudioError`. A full disk raises `ResourceError`; what was written before stays readable.
    """

    def __init__(self, path: str | os.PathLike[str] | typing.BinaryIO, rate: int, channels: int = 1) -> None:
        if not 1 <= rate < 2**32:
            raise UsageError(f"rate is {rate}; a WAV file wants 1 Hz or more")
        if not 1 <= channels <= 65535:
            raise UsageError(f"channels is {channels}; a WAV file wants 1 to 65535")
        self.rate, self.channels = int(rate), int(channels)
        self.path = path if isinstance(path, (str, os.PathLike)) else path.name
        self.frames = 0  # written so far
        self.clipped = 0  # samples beyond full scale
        try:
            self._file = open(path, "wb", buffering=0) if isinstance(path, (str, os.PathLike)) else path
        except OSError as error:
            raise ResourceError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
        self._put(0, self._header())

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
        if self._data_bytes + len(pcm) > MOST_DATA_BYTES:
            raise ResourceError(f"{self.path}: a WAV file ends at 4 GiB; continue in a second file")
        self._put(_HEADER.size + self._data_bytes, pcm)
        self.frames += block.shape[1]
        self._put(0, self._header())  # after the samples, so that the header never promises too much

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
        size, frame = self._data_bytes, 2 * self.channels
        fmt = (16, 1, self.channels, self.rate, min(self.rate * frame, 2**32 - 1), frame % 65536, 16)
        return _HEADER.pack(b"RIFF", size + _HEADER.size - 8, b"WAVE", b"fmt ", *fmt, b"data", size)

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


def write_wav(path: str | os.PathLike[str], samples: np.ndarray, rate: int) -> None:
    """Write float samples (channels, n) or (n,) as one 16-bit WAV file: all of it, or nothing; else as `WavWriter`."""
    samples = np.atleast_2d(samples)
    with atomically(path) as file:
        wav = WavWriter(file, rate, samples.shape[0])
        for start in range(0, samples.shape[1], 1 << 18):
            wav.write(samples[:, start : start + (1 << 18)])


def to_pcm(samples: np.ndarray) -> np.ndarray:
    """Float amplitudes to int16: round(32768 a) to even, held at full scale. Same shape."""
    return np.clip(np.rint(np.asarray(samples, np.float32) * 32768), -32768, 32767).astype(np.int16)
