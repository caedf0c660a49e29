"""The tokenizer: what a moment of music sounds like as one integer per book, and the log-mel spectrum that they mean.

A code frame is `pair` neighbouring log-mel frames. They are turned to the axes along which the music differs most, not
whitened (loud bands count more, as they do to an ear), and quantised. Where whitened, the beat was lost.

Mel frames lie so that the last of them in a code frame is centred a fourth of a hop before the frame's end: a voice
that glides from spectrum to spectrum then needs nothing that comes later.
"""

from __future__ import annotations

import typing

import numpy as np
from numpy.typing import NDArray

from ....features.mel import MelSpec, log_mel
from . import quantiser

Tensors = dict[str, NDArray[np.float32]]
LOUDEST = 16.0  # amplitude of a sine: 24 dB beyond full scale


class Fields(typing.Protocol):
    """What a spec says of its tokenizer."""

    @property
    def sample_rate(self) -> int: ...
    @property
    def q_levels(self) -> int: ...
    @property
    def bands(self) -> int: ...
    @property
    def window(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def pair(self) -> int: ...
    @property
    def floor(self) -> float: ...
    @property
    def dims(self) -> int: ...
    @property
    def books(self) -> int: ...


def mel_of(spec: Fields) -> MelSpec:
    """The recipe of its frames: the mean amplitude in each band, so that bands are comparable, and a floor for it."""
    return MelSpec(
        sample_rate=spec.sample_rate,
        bands=spec.bands,
        window=spec.window,
        hop=spec.hop,
        highest=spec.sample_rate / 2,
        weights="mean",
        edges="zeros",
        floor=spec.floor * spec.window / 4,  # of a Hann window's transform of a sine of that amplitude
    )


class Tokenizer:
    """`tensors` hold `tokenizer.mean`, `.basis` and `.books`."""

    def __init__(self, spec: Fields, tensors: typing.Mapping[str, NDArray[np.float32]]) -> None:
        self.spec, self.mel = spec, mel_of(spec)
        self._mean, self._basis, self._books = (tensors[f"tokenizer.{name}"] for name in ("mean", "basis", "books"))

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.int32]:
        """Audio (samples,) in [-1, 1] -> codes int32 (frames, books): one row for each whole code frame of it."""
        rows = (frames(audio, self.spec) - self._mean) @ self._basis.T
        return quantiser.encode(rows.astype(np.float32, copy=False), self._books)

    def decode(self, codes: NDArray[typing.Any]) -> NDArray[np.float32]:
        """Codes (..., frames, books) -> log-mel spectra float32 (..., frames * pair, bands).

        None lies below the floor, or above what any sound has: whatever a pack holds can be played.
        """
        # Frame by frame, so that a frame's bits do not depend on its company.
        with np.errstate(over="ignore", invalid="ignore"):
            pairs = np.matmul(self._basis.T, quantiser.decode(codes, self._books)[..., None])[..., 0] + self._mean
        spectra = pairs.reshape(*codes.shape[:-2], codes.shape[-2] * self.spec.pair, self.spec.bands)
        low, high = (np.float32(np.log(amplitude * self.spec.window / 4)) for amplitude in (self.spec.floor, LOUDEST))
        return np.fmax(np.fmin(spectra, high), low)  # NaN, which only wild weights make, is silence


def frames(audio: NDArray[np.float32], spec: Fields, shift: int = 0) -> NDArray[np.float32]:
    """Log-mel frames in pairs: float32 (code frames, pair * bands). `shift`: samples that are skipped at the start."""
    count = max(0, len(audio) - shift) // (spec.hop * spec.pair) * spec.pair
    # Silence before the start and after the end: frame i is centred on sample (i + 3/4) * hop.
    first = 3 * spec.hop // 4 - spec.window // 2 + shift
    last = first + (count - 1) * spec.hop + spec.window
    before, after = max(0, -first), max(0, last - len(audio))
    padded = np.pad(audio, (before, after))[first + before :]
    return log_mel(padded, mel_of(spec))[:count].reshape(count // spec.pair, spec.pair * spec.bands)
