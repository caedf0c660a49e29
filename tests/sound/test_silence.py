"""Silence is cut the same way however the stream is chopped."""

import numpy as np
import pytest

from sharks.sound.silence import SilenceCutter

RATE = 1000  # windows of 100 samples


def cut(samples, step=None, **how):
    """What stays of `samples` (n,), fed in blocks of `step`."""
    cutter = SilenceCutter(RATE, **how)
    blocks = np.array_split(samples, range(step, len(samples), step)) if step else [samples]
    kept = [part for block in blocks for part in cutter.feed(block)] + list(cutter.finish())
    return np.concatenate([np.zeros(0), *kept])[: cutter.end], cutter.cut


def sound(seconds, level=0.1, seed=0):
    return level * np.random.default_rng(seed).choice([-1.0, 1.0], round(seconds * RATE))


def still(seconds, value=0.0):
    return np.full(round(seconds * RATE), value)


@pytest.mark.parametrize("step", [1, 7, 100, 101, 5000])
def test_blocks_of_any_size(step):
    x = np.concatenate([still(0.5), sound(1.23), still(3.3), sound(0.5, 0.005), still(1.9), sound(0.77), still(9)])
    whole, left_out = cut(x)
    assert 0 < len(whole) < len(x) and left_out > 0
    got, also_out = cut(x, step)
    assert np.array_equal(got, whole) and also_out == left_out


def test_the_ends_keep_a_window_each():
    got, left_out = cut(np.concatenate([still(2), sound(1), still(2)]))
    assert np.array_equal(got, np.concatenate([still(0.1), sound(1), still(0.1)])) and left_out == 0


@pytest.mark.parametrize("seconds,stays", [(1.9, 1.9), (2.0, 2.0), (2.1, 1.0), (60.0, 1.0)])
def test_only_long_silence_is_shortened(seconds, stays):
    got, left_out = cut(np.concatenate([sound(1), still(seconds), sound(1, seed=1)]))
    assert np.array_equal(got, np.concatenate([sound(1), still(stays), sound(1, seed=1)]))
    assert left_out == round((seconds - stays) * RATE)


def test_sound_is_left_alone_and_silence_gives_nothing():
    assert np.array_equal(cut(sound(3.21))[0], sound(3.21))
    assert len(cut(still(5))[0]) == len(cut(still(0))[0]) == len(cut(still(5, 0.5))[0]) == 0  # DC is silence
    assert len(cut(sound(5, 0.0009))[0]) == 0 and len(cut(sound(5, 0.0011))[0]) == 5000  # -60 dBFS is 0.001


def test_minus_infinity_keeps_everything():
    x = np.concatenate([still(1), sound(1), still(30), sound(1), still(1)])
    assert np.array_equal(cut(x, trim_db=-np.inf)[0], x)


def test_infinity_lets_silence_of_any_length_stay_without_gathering_it():
    x = np.concatenate([still(1), sound(1), still(300), sound(1), still(1)])
    got, left_out = cut(x, longest=np.inf)
    assert np.array_equal(got, x[RATE - RATE // 10 : len(x) - RATE + RATE // 10]) and left_out == 0
    cutter = SilenceCutter(RATE, longest=np.inf)
    list(cutter.feed(sound(1)))
    assert sum(map(len, cutter.feed(still(100)))) == 100 * RATE and not cutter._pending


def test_memory_is_bounded_in_a_silence_of_hours():
    cutter = SilenceCutter(RATE)
    list(cutter.feed(sound(1)))
    for _ in range(360):
        assert not list(cutter.feed(still(10)))
        assert sum(map(len, cutter._pending)) <= 2.1 * RATE
    assert sum(map(len, cutter.feed(sound(0.1)))) == 1.1 * RATE and cutter.cut == 3599 * RATE
