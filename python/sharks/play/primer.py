"""Primers: audio that a model hears before it plays on, as levels."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.arrays import on_host
from ..errors import UsageError, arguments
from ..families.spec import Spec

Prime = ArrayLike | os.PathLike[str]  # float samples, in memory or on a GPU; or a file, as a str too


def primer_levels(spec: Spec, prime: Prime | None, prime_rate: float | None, n: int) -> NDArray[np.int32] | None:
    """`prime` resampled to the model's rate, mixed down and encoded: int32 (1 or n, samples), or None without one.

    `prime` is a path, which carries its own rate, or float samples at `prime_rate` Hz: (samples,), (channels, samples)
    for all streams, or (n, channels, samples). Raises `AudioError` for a file that cannot be used, `UsageError` for
    samples that cannot, `SpecError` where the codec cannot encode.
    """
    if prime is None:
        if prime_rate is not None:
            raise UsageError(f"prime_rate is {prime_rate}, but there is no prime; give both or neither")
        return None
    if isinstance(prime, (str, os.PathLike)):
        if prime_rate is not None:
            raise UsageError(f"prime_rate is {prime_rate}, but a file carries its own rate; leave prime_rate out")
        from ..sound.reading import read_audio

        mono, _ = read_audio(prime, rate=spec.sample_rate, mono=True)
        sound = mono[None]
    else:
        sound = _samples(prime, prime_rate, spec.sample_rate, n)
    return spec.sound.encode(sound[:, 0])


def _samples(prime: ArrayLike | os.PathLike[str], rate: float | None, sample_rate: int, n: int) -> NDArray[np.float32]:
    """An array at the model's rate, mixed down: float32 (1 or n, 1, samples)."""
    from ..sound.bounds import LEAST_RATE, LOUDEST, MOST_RATE
    from ..sound.reading import at_rate, mixed
    from ..sound.shapes import check_sound

    if rate is None:
        raise UsageError("prime is an array without prime_rate; give its samples per second, such as 44100")
    rate = arguments.rate("prime_rate", rate, LEAST_RATE, MOST_RATE)
    try:
        sound = np.asarray(on_host("prime", prime))
    except ValueError as error:
        raise UsageError(f"prime is not an array ({error}); wanted (channels, samples)") from None
    check_sound("prime", sound, f"(channels, samples) or ({n}, channels, samples)")
    shape = sound.shape
    sound = sound[None] if sound.ndim == 1 else sound
    sound = sound[None] if sound.ndim == 2 else sound
    if sound.ndim != 3 or len(sound) not in (1, n) or 0 in sound.shape:
        raise UsageError(
            f"has shape {shape}; wanted (channels, samples) or ({n}, channels, samples), not empty", argument="prime"
        )
    if not np.abs(sound).max() <= LOUDEST:  # NaN is not
        raise UsageError(f"prime reaches {np.abs(sound).max():g}; wanted float samples in [-1, 1]")
    sound = np.clip(sound, -1, 1).astype(np.float32)
    resampled = [list(at_rate(mixed([one]), rate, sample_rate)) for one in sound]
    if not resampled[0]:
        raise UsageError(f"lasts less than a sample at {sample_rate} Hz; give a longer one", argument="prime")
    return np.stack([np.concatenate(blocks, axis=1) for blocks in resampled])
