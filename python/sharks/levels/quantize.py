"""What a level means: one codec per law that people trained with, from amplitude to level and back.

A codec belongs to the weights: a model decoded with another law is 30 dB too loud, or a whisper. Its two tables (the
amplitude of each level, and what an upper tier sees of it) ride in a pack, so that no engine knows mu-law.

Laws, with Q levels, mu = Q - 1 unless said, F(x) = sign(x) ln(1 + mu|x|) / ln(1 + mu):

    id     encode                                  decode                          silence   used by
    MU-R   trunc((F + 1)/2 mu + 0.5), |x| <= 1     F^-1(2l/mu - 1)                 Q/2       ibab, nv-wavenet, PRISM
    MU-T   trunc((F + 1)/2 mu), Q = 256            y = 2l/Q - 1, F^-1(y)           Q/2       ICLR 2017, dadabots
    MU-N   trunc((F + 1)/2 mu)                     F^-1(2l/mu - 1)                 (Q-1)/2   r9y9
    MU-D   last of Q edges on [-1, 1] under F      y = 2l/Q - 1, F^-1(y); mu = Q   Q/2       vincentherrmann
    MU-S   stretches each example; not encoded     as MU-T, Q = 256                Q/2       S4
    LIN-P  trunc((x + 1)/2 (Q - 1e-5) + 0.5e-5)    2l/Q - 1                        Q/2       PRISM
    LIN-W, LIN-C, LIN-D  stretch each window, clip or file; not encoded; decode as LIN-P
    LIN-X  lost the sign of the audio; refused both ways
    CODES  entries of a book: no amplitude belongs to one; refused both ways

A level always lies in 0..Q-1: amplitudes beyond the scale take the outermost level. Products and sums are in the
precision of the amplitudes (float32 or float64; LIN-P always float32), as the originals computed them; logarithms and
powers are float64, so that no maths library's last digit decides a level.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import AudioError, SpecError, UsageError, did_you_mean
from .names import CODECS

_Encode = Callable[[np.ndarray, int], np.ndarray]  # amplitudes, Q -> levels, not yet truncated to 0..Q-1
_Decode = Callable[[np.ndarray, int], np.ndarray]  # all levels, Q -> amplitudes


@dataclass(frozen=True)
class Codec:
    """One law with its number of levels. Made by `codec_of`."""

    id: str
    q_levels: int

    def encode(self, x: ArrayLike) -> NDArray[np.int32]:
        """Amplitudes, full scale [-1, 1], any shape -> levels 0..q_levels-1.

        Raises `SpecError` for a law that cannot be applied to a sample alone, `AudioError` for NaN and infinity.
        """
        x = np.asarray(x)
        if x.dtype != np.float32:
            x = x.astype(np.float64)
        law = _LAWS[self.id]
        if law.encode is None:
            raise SpecError(f"codec {self.id} cannot encode: it {law.trouble}; prepare and train with MU-R instead")
        broken = x.size - np.count_nonzero(np.isfinite(x))
        if broken:
            raise AudioError(
                f"{broken} of {x.size} samples are NaN or infinite; wanted finite amplitudes: "
                "repair the file or leave it out"
            )
        return np.clip(law.encode(x, self.q_levels), 0, self.q_levels - 1).astype(np.int32)

    def decode(self, levels: ArrayLike) -> NDArray[np.float32]:
        """Levels, any shape -> amplitudes in [-1, 1]. Raises `UsageError` for anything but levels."""
        levels = np.asarray(levels)
        if levels.dtype.kind not in "iu" or (levels.size and not 0 <= levels.min() <= levels.max() < self.q_levels):
            found = f"{levels.min()} to {levels.max()}" if levels.size else "nothing"
            raise UsageError(f"levels are {levels.dtype} {found}; wanted whole numbers from 0 to {self.q_levels - 1}")
        return self.decode_table()[levels]

    def decode_table(self) -> NDArray[np.float32]:
        """The amplitude of every level, float32 (q_levels,), read-only. Raises `SpecError` for LIN-X."""
        return _decode_table(self.id, self.q_levels)

    @property
    def pad_level(self) -> int:
        """The level that this law's users filled silence with; free runs start from it."""
        return (self.q_levels - 1) // 2 if self.id == "MU-N" else self.q_levels // 2


class HasCodec(typing.Protocol):
    """A spec, as far as it says what a level means."""

    @property
    def codec(self) -> str: ...

    @property
    def q_levels(self) -> int: ...


def codec_of(spec_or_id: HasCodec | str, q_levels: int = 256) -> Codec:
    """The codec of a spec, or the one named by an id (see `names.CODECS`) with `q_levels` levels.

    Raises `SpecError` for unknown ids and for a number of levels that the law does not have.
    """
    if isinstance(spec_or_id, str):
        name = spec_or_id
    else:
        name, q_levels = spec_or_id.codec, spec_or_id.q_levels
    if name not in _LAWS:
        raise SpecError(f"codec is {name!r}{did_you_mean(name, CODECS)}")
    if _LAWS[name].only_256 and q_levels != 256:
        raise SpecError(f"q_levels is {q_levels}, but codec {name} has exactly 256; use 256, or MU-R")
    return Codec(name, q_levels)


@functools.lru_cache
def _decode_table(name: str, q_levels: int) -> NDArray[np.float32]:
    law = _LAWS[name]
    if law.decode is None:
        raise SpecError(f"codec {name} cannot decode: it {law.trouble}; train the model again with MU-R")
    table = law.decode(np.arange(q_levels), q_levels).astype(np.float32)
    table.flags.writeable = False
    return table


def _compress(x: np.ndarray, mu: int) -> np.ndarray:
    """F, float64."""
    return np.sign(x) * np.log1p((x.dtype.type(mu) * np.abs(x)).astype(np.float64)) / np.log1p(mu)


def _expand(y: np.ndarray, mu: int) -> np.ndarray:
    """The inverse of F, for y that the originals held in float32."""
    y = y.astype(np.float32).astype(np.float64)
    return np.sign(y) * ((1.0 + mu) ** np.abs(y) - 1) / mu


def _mu_truncate(x: np.ndarray, q: int) -> np.ndarray:
    unit = (_compress(x, q - 1) + 1).astype(x.dtype) / 2
    return unit * x.dtype.type(q - 1)


def _mu_round(x: np.ndarray, q: int) -> np.ndarray:
    return _mu_truncate(np.clip(x, -1, 1), q) + x.dtype.type(0.5)


def _mu_digitize(x: np.ndarray, q: int) -> np.ndarray:
    return np.digitize(_compress(x, q), np.linspace(-1, 1, q)) - 1


def _linear_truncate(x: np.ndarray, q: int) -> np.ndarray:
    x = x.astype(np.float32)
    return (x + np.float32(1)) / np.float32(2) * np.float32(q - 1e-5) + np.float32(0.5e-5)


def _linear(levels: np.ndarray, q: int) -> np.ndarray:
    return levels / (q / 2) - 1


def _mu_ends(levels: np.ndarray, q: int) -> np.ndarray:
    """Both ends of the scale have a level."""
    return _expand(2 * levels / (q - 1) - 1, q - 1)


def _mu_centre(levels: np.ndarray, q: int) -> np.ndarray:
    """Zero has a level."""
    return _expand(_linear(levels, q), q - 1)


def _mu_centre_wide(levels: np.ndarray, q: int) -> np.ndarray:
    return _expand(_linear(levels, q), q)


@dataclass(frozen=True)
class _Law:
    encode: _Encode | None
    decode: _Decode | None
    only_256: bool = False
    trouble: str = ""  # why it does not encode (or decode): "it ..."


_STRETCHES = "stretches each {} to full scale first, so that a level means something else in every {}"
_LAWS = {
    "MU-R": _Law(_mu_round, _mu_ends),
    "MU-T": _Law(_mu_truncate, _mu_centre, only_256=True),
    "MU-N": _Law(_mu_truncate, _mu_ends),
    "MU-D": _Law(_mu_digitize, _mu_centre_wide),
    "MU-S": _Law(None, _mu_centre, only_256=True, trouble=_STRETCHES.format("example", "example")),
    "LIN-P": _Law(_linear_truncate, _linear),
    "LIN-W": _Law(None, _linear, trouble=_STRETCHES.format("training window", "window")),
    "LIN-C": _Law(None, _linear, trouble=_STRETCHES.format("clip", "clip")),
    "LIN-D": _Law(None, _linear, trouble=_STRETCHES.format("file", "file")),
    "CODES": _Law(None, None, trouble="names the entry of a book, which only a voice makes sound of"),
    "LIN-X": _Law(None, None, trouble="gave levels from -255 to 255, which no set of 256 can hold"),
}
