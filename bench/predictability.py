"""How far below order-0 a song's samples can be told by linear predictors.

    python bench/predictability.py SONG [-p PRESET] [--order N,...] [--window SECONDS,...] [--memory SECONDS,...]

One that knows what is to come: for every window the best predictor of that order is fitted to the window itself, and
what is left over is taken to be Gaussian; levels are as fine there as the codec makes them. And one that learns while
it listens: recursive least squares, which forgets with a memory of so many seconds, and a mixture of Gaussians and
Laplacians as wide as the errors of late; it pays for every level before it learns from it.

A model whose weights are fixed when the song begins has to adapt by its state alone. It may do better than these only
where music is not linear.
"""

from __future__ import annotations

import argparse
import itertools
import math

import numpy as np

from sharks import preset
from sharks.levels.quantize import Codec, codec_of
from sharks.sound.reading import read_audio
from sharks.spec import Spec


def left_over(autocorrelation: np.ndarray) -> float:
    """Power that the best predictor of order len - 1 leaves of a signal of this autocorrelation (Levinson, Durbin)."""
    power, taps = float(autocorrelation[0]), np.zeros(0)
    for order in range(1, len(autocorrelation)):
        reflection = (autocorrelation[order] - taps @ autocorrelation[order - 1 : 0 : -1]) / power
        taps = np.append(taps - reflection * taps[::-1], reflection)
        power *= 1 - reflection**2
    return power


def step_sizes(codec: Codec, x: np.ndarray) -> np.ndarray:
    """How far the next level is from that of each sample."""
    steps = np.diff(codec.decode_table(), append=np.nan)
    steps[-1] = steps[-2]
    return np.abs(steps)[codec.encode(x)]


def bits(x: np.ndarray, codec: Codec, order: int, window: int) -> float:
    """Bits per sample of `x` float [n], over all windows that sound."""
    taper, found = np.hanning(window), []
    for start in range(0, len(x) - window + 1, window):
        part = x[start : start + window]
        steps = step_sizes(codec, part)
        spectrum = np.abs(np.fft.rfft(part * taper, 2 * window)) ** 2
        lags = np.fft.irfft(spectrum)[: order + 1] / (taper**2).sum()
        lags[0] += np.mean(steps**2) / 12  # what rounding to levels adds
        if part.std() > 1e-3:
            found.append(0.5 * math.log2(2 * math.pi * math.e * left_over(lags)) - np.mean(np.log2(steps)))
    return float(np.mean(found))


def errors_of_learning(x: np.ndarray, order: int, memory: float) -> np.ndarray:
    """What recursive least squares, with an exponential memory of so many samples, misses of each sample of x."""
    keep = 1 - 1 / memory
    taps, past, inverse = np.zeros(order), np.zeros(order), 1e3 * np.eye(order)
    errors = np.empty(len(x))
    for t, sample in enumerate(x):
        errors[t] = sample - taps @ past
        gain = inverse @ past
        gain /= keep + past @ gain
        taps += errors[t] * gain
        inverse -= np.outer(gain, past @ inverse)
        inverse /= keep
        if t % 1000 == 0:
            inverse = (inverse + inverse.T) / 2  # rounding would undo it
        past[1:] = past[:-1]
        past[0] = sample
    return errors


def bits_of_errors(errors: np.ndarray, steps: np.ndarray, skip: int) -> float:
    """Bits per sample, but for the first `skip`, of a mixture: widths follow the errors, shares follow success."""
    widths, shares, total = np.full(3, 1e-2), np.zeros(24), 0.0  # shares are logarithms
    keeps, scales = np.array([0.99, 0.998, 0.9995]), np.array([0.5, 0.8, 1.2, 2.0])
    for t, (error, step) in enumerate(zip(errors.tolist(), steps.tolist(), strict=True)):
        power = np.outer(widths, scales).ravel() + step**2 / 12
        root = np.sqrt(power / 2)
        gauss = -0.5 * (np.log(2 * math.pi * power) + error**2 / power)
        told = np.concatenate([gauss, -np.log(2 * root) - abs(error) / root])
        if t >= skip:
            total -= np.logaddexp.reduce(shares + told) - np.logaddexp.reduce(shares) + math.log(step)
        shares = 0.99 * (shares + told)  # late success counts more
        shares = np.maximum(shares - shares.max(), -12)
        widths = keeps * widths + (1 - keeps) * error**2
    return total / math.log(2) / (len(errors) - skip)


def order0(x: np.ndarray, codec: Codec) -> float:
    """Bits per sample for who knows how often each level comes, and nothing else."""
    counts = np.bincount(codec.encode(x))
    shares = counts[counts > 0] / len(x)
    return float(-(shares * np.log2(shares)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("song")
    parser.add_argument("-p", "--preset", default="dadabots-2tier")
    parser.add_argument("--order", default="16,32,64", help="samples that the predictor sees")
    parser.add_argument("--window", default="0.05,0.1,0.5,5", help="seconds that it is fitted to")
    parser.add_argument("--memory", default="0.03,0.12", help="seconds that a learning predictor remembers")
    options = parser.parse_args()
    spec: Spec = preset(options.preset)
    codec, x = codec_of(spec), read_audio(options.song, spec.sample_rate, mono=True)[0][0].astype(np.float64)
    print(f"order-0: {order0(x, codec):.3f} bits per sample")
    for seconds in map(float, options.window.split(",")):
        window = round(seconds * spec.sample_rate)
        found = [f"{order} {bits(x, codec, order, window):.3f}" for order in map(int, options.order.split(","))]
        print(f"a predictor of its own every {seconds:g} s, by order: {', '.join(found)}", flush=True)
    steps = step_sizes(codec, x)
    for seconds, order in itertools.product(map(float, options.memory.split(",")), map(int, options.order.split(","))):
        errors = errors_of_learning(
            codec.decode_table()[codec.encode(x)].astype(float), order, seconds * spec.sample_rate
        )
        learnt = bits_of_errors(errors, steps, spec.sample_rate)
        print(f"one that learns while it listens, memory {seconds:g} s, order {order}: {learnt:.3f}", flush=True)


if __name__ == "__main__":
    main()
