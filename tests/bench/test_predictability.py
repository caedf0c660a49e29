"""Signals whose entropy is known: noise has none of its bits told, a resonance as many as its gain says."""

import math
import pathlib
import sys

import numpy as np
import pytest

from sharks import preset
from sharks.levels.quantize import codec_of

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from predictability import bits, bits_of_errors, errors_of_learning, left_over, order0, step_sizes  # noqa: E402

LAW = codec_of(preset("dadabots-2tier"))


def test_what_is_left_over_of_an_autoregression_is_its_noise():
    a, noise = 0.9, 0.25
    lags = noise / (1 - a**2) * a ** np.arange(4)
    assert left_over(lags) == pytest.approx(noise)
    assert left_over(lags[:1]) == pytest.approx(noise / (1 - a**2))


@pytest.fixture(scope="module")
def signals():
    noise = 0.02 * np.random.default_rng(0).standard_normal(160000)
    resonance = np.zeros_like(noise)
    for t in range(2, len(noise)):
        resonance[t] = noise[t] + 1.6 * resonance[t - 1] - 0.9 * resonance[t - 2]
    return noise, resonance


def test_noise_is_worth_what_its_histogram_is(signals):
    noise, _ = signals
    assert bits(noise, LAW, 8, 16000) == pytest.approx(order0(noise, LAW), abs=0.03)


def test_a_resonance_is_worth_less_by_its_gain(signals):
    noise, resonance = signals
    saved = order0(resonance, LAW) - bits(resonance, LAW, 8, 16000)
    assert saved == pytest.approx(math.log2(resonance.std() / noise.std()), abs=0.06)
    assert bits(resonance, LAW, 1, 16000) > bits(resonance, LAW, 2, 16000) + 0.3


def test_learning_while_it_listens_comes_as_far_as_knowing_before(signals):
    _, resonance = (signal[:32000] for signal in signals)
    learnt = bits_of_errors(errors_of_learning(resonance, 2, 16000), step_sizes(LAW, resonance), 4000)
    assert learnt == pytest.approx(bits(resonance, LAW, 2, 16000), abs=0.03)
    too_short = bits_of_errors(errors_of_learning(resonance, 1, 16000), step_sizes(LAW, resonance), 4000)
    assert too_short > learnt + 0.3


def test_it_pays_before_it_learns(signals):
    """Noise cannot be told, however many taps and however short a memory there are; a predictor that peeks could."""
    noise = signals[0][:16000]
    errors = errors_of_learning(noise, 32, 200)
    assert errors[1000:].std() > noise.std()
