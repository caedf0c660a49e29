"""Log-mel spectrograms as a written-down recipe, so that what a model was told in training it is told when it plays.

A frame is the magnitude of a windowed transform, summed into bands that lie evenly on a scale of pitch, then a
logarithm. Every program has another recipe, and the mels of two of them cannot be exchanged; so each choice is a field.

The mel scales: Slaney's (Auditory Toolbox: linear up to 1 kHz, logarithmic above) and HTK's, 2595 log10(1 + f / 700).
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SpecError, UsageError, arguments, did_you_mean

Floats = NDArray[np.float64]
_BLOCK = 4096  # frames that are transformed together


@dataclass(frozen=True)
class MelSpec:
    """A recipe. Its defaults are those of Tacotron 2's users (NVIDIA/tacotron2) but for the rate, which is the music's.

    >>> sharks.MelSpec(sample_rate=16000, bands=3).centres().round().tolist()
    [754.0, 1689.0, 3676.0]
    """

    sample_rate: int = 22050  # Hz
    bands: int = 80
    window: int = 1024  # samples of a frame, a periodic Hann window
    hop: int = 256  # samples from one frame's middle to the next
    lowest: float = 0.0  # Hz at the foot of the first band
    highest: float = 8000.0  # Hz at the foot of the last
    scale: str = "slaney"  # or "htk"
    weights: str = "area"  # each band has the area 1 / Hz; or "peak": its peak is 1; or "mean": its sum is 1
    edges: str = "reflect"  # what lies beyond the ends of a sound: it, backwards; or "zeros"
    log: str = "e"  # base of the logarithm, or "10"
    floor: float = 1e-5  # no magnitude counts as less

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise SpecError(f"{name} is {getattr(self, name)!r}{did_you_mean(str(getattr(self, name)), known)}")
        for name, low, high in _BOUNDS:
            if not low <= getattr(self, name) <= high:
                raise SpecError(f"{name} is {getattr(self, name)}; wanted {low:g} to {high:g}")
        if not self.lowest < self.highest <= self.sample_rate / 2:
            raise SpecError(
                f"lowest and highest are {self.lowest:g} and {self.highest:g} Hz; wanted a band below half the rate, "
                f"{self.sample_rate / 2:g}"
            )

    def centres(self) -> Floats:
        """Hz in the middle of each band, (bands,)."""
        return self._corners()[1:-1]

    def _corners(self) -> Floats:
        low, high = (_to_mel(np.array(f), self.scale) for f in (self.lowest, self.highest))
        return _to_hertz(np.linspace(low, high, self.bands + 2), self.scale)

    def basis(self) -> Floats:
        """How much of each frequency of the transform is in each band: (bands, window // 2 + 1)."""
        corners, frequencies = self._corners(), np.arange(self.window // 2 + 1) * self.sample_rate / self.window
        widths = np.diff(corners)
        rising = (frequencies - corners[:-2, None]) / widths[:-1, None]
        falling = (corners[2:, None] - frequencies) / widths[1:, None]
        found: Floats = np.maximum(0.0, np.minimum(rising, falling))
        if self.weights == "area":
            found *= (2 / (corners[2:] - corners[:-2]))[:, None]
        elif self.weights == "mean":
            nearest = np.rint(corners[1:-1] * self.window / self.sample_rate).astype(int)
            narrow = found.sum(1) == 0  # between two frequencies: the nearest one
            found[narrow, nearest[narrow]] = 1
            found /= found.sum(1, keepdims=True)
        return found


_CHOICES: dict[str, tuple[str, ...]] = {
    "scale": ("slaney", "htk"),
    "weights": ("area", "peak", "mean"),
    "edges": ("reflect", "zeros"),
    "log": ("e", "10"),
}
_BOUNDS = (
    ("sample_rate", 1000, 384000),
    ("bands", 1, 4096),
    ("window", 2, 1 << 20),
    ("hop", 1, 1 << 20),
    ("lowest", 0.0, 192000.0),
    ("highest", 1.0, 192000.0),
    ("floor", 1e-30, 1.0),
)


def mel(audio: ArrayLike, spec: MelSpec) -> NDArray[np.float32]:
    """The log-mel spectrogram of `audio`, float (samples,) at the recipe's rate: float32 (frames, bands).

    Frame i is centred on sample i * hop; there are 1 + samples // hop. `UsageError` for anything but such audio.

    >>> audio = sharks.generate("run", seconds=0.5, seed=7).samples[0, 0]
    >>> sharks.mel(audio, sharks.MelSpec(sample_rate=16000)).shape
    (32, 80)
    """
    if not isinstance(spec, MelSpec):
        arguments.refuse("spec", spec, "a sharks.MelSpec")
    try:
        sound = np.asarray(audio)
    except ValueError:
        sound = np.empty(0)
    if sound.ndim != 1 or sound.dtype.kind != "f" or not sound.size:
        raise UsageError(f"audio is {sound.dtype} of shape {sound.shape}; wanted float samples (samples,), not empty")
    if not np.isfinite(sound).all():
        raise UsageError("audio holds NaN or infinity; wanted finite samples: repair it or leave it out")
    half = spec.window // 2
    padded = np.pad(sound.astype(np.float64), half, "reflect" if spec.edges == "reflect" else "constant")
    return log_mel(padded, spec)


def log_mel(samples: NDArray[typing.Any], spec: MelSpec) -> NDArray[np.float32]:
    """The frames that lie whole in `samples` (n,), the first at its start: float32 (frames, bands)."""
    basis = spec.basis().T
    found = np.empty((max(0, 1 + (len(samples) - spec.window) // spec.hop), spec.bands), np.float32)
    start = 0
    for magnitudes in spectra(samples, spec.window, spec.hop):
        bands = np.log(np.maximum(magnitudes @ basis, spec.floor))
        found[start : start + len(bands)] = bands if spec.log == "e" else bands / math.log(10)
        start += len(bands)
    return found


def spectra(samples: NDArray[typing.Any], window: int, hop: int) -> Iterator[Floats]:
    """Magnitudes of transforms of `samples` (n,), the first frame at its start: blocks (frames, window // 2 + 1)."""
    if len(samples) < window:
        return
    shape = hann(window)
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    for start in range(0, len(frames), _BLOCK):
        yield np.abs(np.fft.rfft(frames[start : start + _BLOCK] * shape, axis=1))


def hann(window: int) -> Floats:
    """The periodic Hann window, (window,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def _to_mel(hertz: Floats, scale: str) -> Floats:
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hertz / 700))
    above = 15 + np.log(np.maximum(hertz, 1.0) / 1000) * 27 / math.log(6.4)
    return np.where(hertz < 1000, hertz * 3 / 200, above)


def _to_hertz(mels: Floats, scale: str) -> Floats:
    if scale == "htk":
        return np.asarray(700 * (10 ** (mels / 2595) - 1))
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * math.log(6.4) / 27))
