"""Whether an array is sound: floats (channels, samples), as everything here takes and gives it."""

from __future__ import annotations

import typing

import numpy as np

from ..errors import UsageError
from .bounds import MOST_CHANNELS


def check_sound(name: str, sound: np.ndarray, wanted: str = "(channels, samples) or (samples,)") -> None:
    """`UsageError` unless `sound` holds floats, its last two axes 1 to 64 channels and no fewer samples.

    One axis is one channel; an axis before the channels is another's to check. Empty sound passes: it has a shape.
    """
    shape = sound.shape
    if sound.dtype.kind != "f":
        advice = "; divide integers by their full scale, 32768 for int16" if sound.dtype.kind in "iu" else ""
        raise UsageError(f"{name} has dtype {sound.dtype}; wanted float samples in [-1, 1]{advice}")
    if not shape:
        raise UsageError(f"{name} has shape (); wanted {wanted}")
    channels, samples = (1, *shape)[-2:]
    if 0 in shape:
        return
    if not channels <= min(MOST_CHANNELS, samples):
        turned = (*shape[:-2], samples, channels)
        advice = f", so turn its last two axes round, to {turned}" if samples <= MOST_CHANNELS else ""
        raise UsageError(
            f"{name} has shape {shape}, which is {channels} channels of {samples} samples; wanted {wanted}{advice}"
        )


def as_sound(name: str, samples: typing.Any, wanted: str = "(channels, samples) or (samples,)") -> np.ndarray:
    """`samples` as an array of one or two axes; `UsageError` as `check_sound`."""
    try:
        sound = np.asarray(samples)
    except ValueError as error:
        raise UsageError(f"{name} is not an array ({error}); wanted {wanted}") from None
    check_sound(name, sound, wanted)
    if sound.ndim > 2:
        raise UsageError(f"{name} has shape {sound.shape}; wanted {wanted}")
    return sound
