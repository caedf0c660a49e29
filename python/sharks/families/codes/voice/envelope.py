"""The spectral envelope of log-mel frames as an all-pole filter (Makhoul 1975: linear prediction).

A band's mean amplitude is spread over frequencies, its square is a power spectrum, whose transform is an
autocorrelation; the filter that predicts best from that is the envelope. So the codes' spectrum is in the sound by
construction: whatever is played through the filter has it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....features.mel import MelSpec, hann

Floats = NDArray[np.float64]
_POINTS = 256  # frequencies at which an envelope is known
_SOFT = 1e-5  # of the power is added as noise: no pole on the circle


class Envelope:
    """From log-mel frames to filters of `order` poles."""

    def __init__(self, mel: MelSpec, order: int) -> None:
        self.order = order
        self._spread = _between_bands(mel)
        window = hann(mel.window)
        # White noise of power 1 has this mean amplitude in a band: Rayleigh's mean, times the window's energy.
        self._of_noise = np.log(np.sqrt(np.pi / 4 * (window**2).sum()))

    def filters(self, frames: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Log-mel frames (n, bands) -> predictors (n, order), and gains (n,): x[t] = g e[t] + sum_i a[i] x[t - 1 - i].

        White noise e of power 1 comes out with the frames' mean amplitudes.
        """
        # Frame by frame, so that a frame's bits do not depend on its company.
        spread = np.matmul(self._spread.T, frames.astype(np.float64)[..., None])[..., 0]
        power = np.exp(2 * (spread - self._of_noise))
        lags = np.fft.irfft(power, axis=1)[:, : self.order + 1]
        lags[:, 0] *= 1 + _SOFT
        return _levinson(lags)


def _between_bands(mel: MelSpec) -> Floats:
    """The weights of bands at each of `_POINTS` + 1 frequencies, (bands, points): straight lines between centres."""
    frequencies = np.linspace(0, mel.sample_rate / 2, _POINTS + 1)
    return np.stack([np.interp(frequencies, mel.centres(), band) for band in np.eye(mel.bands)])


def _levinson(lags: Floats) -> tuple[Floats, Floats]:
    """The Levinson-Durbin recursion for rows of autocorrelations (n, order + 1): predictors, and gains."""
    n, order = lags.shape[0], lags.shape[1] - 1
    predictors, error = np.zeros((n, order)), lags[:, 0].copy()
    for i in range(order):
        reflection = (lags[:, i + 1] - (predictors[:, :i] * lags[:, i:0:-1]).sum(1)) / error
        predictors[:, :i] -= reflection[:, None] * predictors[:, i - 1 :: -1][:, :i] if i else 0
        predictors[:, i] = reflection
        error *= 1 - reflection**2
    return predictors, np.sqrt(error)
