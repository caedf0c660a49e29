"""How far below order-0 a song's samples can be told by a linear predictor that knows what is to come.

    python bench/predictability.py SONG [-p dadabots-2tier] [--order N,...] [--window SECONDS,...]

For every window the best predictor of that order is fitted to the window itself, and what is left over is taken to be
Gaussian; levels are as fine there as the codec makes them. A model that has never heard the song, and is told nothing,
has to come to know all that while it listens, so these bits are hard to reach; it may do better only where music is not
linear.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from sharks import preset
from sharks.audio import read_audio
from sharks.quantize import Codec, codec
from sharks.spec import Spec


def left_over(autocorrelation: np.ndarray) -> float:
    """Power that the best predictor of order len - 1 leaves of a signal of this autocorrelation (Levinson, Durbin)."""
    power, taps = float(autocorrelation[0]), np.zeros(0)
    for order in range(1, len(autocorrelation)):
        reflection = (autocorrelation[order] - taps @ autocorrelation[order - 1 : 0 : -1]) / power
        taps = np.append(taps - reflection * taps[::-1], reflection)
        power *= 1 - reflection**2
    return power


def step_sizes(law: Codec, x: np.ndarray) -> np.ndarray:
    """How far the next level is from that of each sample."""
    steps = np.diff(law.decode_table(), append=np.nan)
    steps[-1] = steps[-2]
    return np.abs(steps)[law.encode(x)]


def bits(x: np.ndarray, law: Codec, order: int, window: int) -> float:
    """Bits per sample of `x` float [n], over all windows that sound."""
    taper, found = np.hanning(window), []
    for start in range(0, len(x) - window + 1, window):
        part = x[start : start + window]
        steps = step_sizes(law, part)
        spectrum = np.abs(np.fft.rfft(part * taper, 2 * window)) ** 2
        lags = np.fft.irfft(spectrum)[: order + 1] / (taper**2).sum()
        lags[0] += np.mean(steps**2) / 12  # what rounding to levels adds
        if part.std() > 1e-3:
            found.append(0.5 * math.log2(2 * math.pi * math.e * left_over(lags)) - np.mean(np.log2(steps)))
    return float(np.mean(found))


def order0(x: np.ndarray, law: Codec) -> float:
    """Bits per sample for who knows how often each level comes, and nothing else."""
    counts = np.bincount(law.encode(x))
    shares = counts[counts > 0] / len(x)
    return float(-(shares * np.log2(shares)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("song")
    parser.add_argument("-p", "--preset", default="dadabots-2tier")
    parser.add_argument("--order", default="16,32,64", help="samples that the predictor sees")
    parser.add_argument("--window", default="0.05,0.1,0.5,5", help="seconds that it is fitted to")
    options = parser.parse_args()
    spec: Spec = preset(options.preset)
    law, x = codec(spec), read_audio(options.song, spec.sample_rate, mono=True)[0][0].astype(np.float64)
    print(f"order-0: {order0(x, law):.3f} bits per sample")
    for seconds in map(float, options.window.split(",")):
        window = round(seconds * spec.sample_rate)
        found = [f"{order} {bits(x, law, order, window):.3f}" for order in map(int, options.order.split(","))]
        print(f"a predictor of its own every {seconds:g} s, by order: {', '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
