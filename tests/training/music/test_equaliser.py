"""The equaliser drawn at random: its curve, its phase, and that a chunk is heard through one and the same."""

import numpy as np
import pytest

from made_songs import dataset
from sharks import preset, recipe
from sharks.levels.quantize import codec_of
from sharks.recipes.presets import override
from sharks.training.music import equaliser
from sharks.training.music.batches import Training, Validation

FEW_DB = np.random.default_rng(5).normal(0, 3, (40, len(equaliser._PITCHES)))


def decibels(taps, frequencies):
    return 20 * np.log10(np.abs(np.exp(-2j * np.pi * np.outer(frequencies, np.arange(len(taps)))) @ taps))


@pytest.mark.parametrize("gains", FEW_DB[:8])
def test_the_filter_has_the_gains(gains):
    within = np.array([2.5, 2.5, 2.0, 1.5, 1.0, *[0.5] * 8])  # the lowest are longer than the filter
    assert np.all(np.abs(decibels(equaliser.minimum_phase(gains), equaliser._PITCHES) - gains) < within)


def test_no_gains_change_nothing():
    np.testing.assert_allclose(equaliser.minimum_phase(np.zeros(13)), np.eye(equaliser.TAPS)[0], atol=1e-12)


def test_the_filter_delays_no_more_than_it_must():
    """Of all filters with one curve, that of minimum phase starts with the largest sample: exp of the mean log gain."""
    for gains in FEW_DB:
        taps = equaliser.minimum_phase(gains)
        curve = decibels(taps, np.linspace(0, 0.5, 4097)[:-1] + 0.5 / 8192)
        assert 20 * np.log10(taps[0]) == pytest.approx(curve.mean(), abs=0.02)
    late = np.roll(equaliser.minimum_phase(FEW_DB[0]), 1)
    assert abs(late[0]) < 0.01  # and the assertion above could fail


def test_heard_is_the_convolution_limited_to_16_bits():
    draw = np.random.default_rng(0)
    samples = draw.integers(-32768, 32768, equaliser.TAPS - 1 + 1000).astype(np.int16)
    taps = equaliser.minimum_phase(FEW_DB[1])
    wanted = np.convolve(samples.astype(np.float64), taps, "valid")
    assert np.abs(wanted).max() > 32768  # some of it must be limited
    got = equaliser.heard(samples, taps)
    assert got.dtype == np.int16
    np.testing.assert_allclose(got, np.clip(wanted, -32768, 32767), atol=0.5001)


def test_drawn_is_a_function_of_seed_and_unit():
    filters = {(seed, unit): equaliser.drawn(3.0, seed, unit) for seed in range(2) for unit in range(400)}
    assert all(np.array_equal(taps, equaliser.drawn(3.0, *key)) for key, taps in filters.items())
    assert len({taps.tobytes() for taps in filters.values()}) == len(filters)
    curves = np.array([decibels(taps, equaliser._PITCHES[5:]) for taps in filters.values()])
    differences = np.diff(curves, axis=1)  # which being made as loud as before does not change
    assert differences.std(axis=0) == pytest.approx(np.full(7, 3.0 * 2**0.5), rel=0.15)
    assert np.abs(differences.mean(axis=0)).max() < 0.6


def test_pink_noise_stays_as_loud():
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=1 << 16))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), len(spectrum) / 128)))
    samples = (3000 * pink / pink.std()).astype(np.int16)
    for unit in range(20):
        through = equaliser.heard(samples, equaliser.drawn(6.0, 0, unit))
        assert abs(20 * np.log10(through.std() / samples.std())) < 0.5
    raw = equaliser.heard(samples, equaliser.minimum_phase(np.full(13, 6.0)))
    assert 20 * np.log10(raw.std() / samples.std()) == pytest.approx(6, abs=0.2)  # which must be heard by this ruler


def made(name, db, **changes):
    spec, plan = override(preset(name), recipe(name), {"data.equaliser_db": db} | changes)
    music = dataset(spec.sample_rate, (spec.sample_rate * 9,), (spec.sample_rate * 9,))
    return spec, plan, music


@pytest.mark.parametrize("name", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_training_is_equalised_and_validation_is_not(name):
    spec, plan, music = made(name, 4.0)
    _, flat, _ = made(name, 0.0)
    one, same, plain = (Training(music, spec, p, 3) for p in (plan, plan, flat))
    assert all(np.array_equal(one.at(step).levels, same.at(step).levels) for step in range(4))
    assert not any(np.array_equal(one.at(step).levels, plain.at(step).levels) for step in range(4))
    some = slice(1, 3)
    assert np.array_equal(one.at(2, some).levels, one.at(2).levels[some])
    told = [Validation(music, spec, p, None) for p in (plan, flat)]
    assert np.array_equal(*(v.levels(v.stretches[1]) for v in told))


def test_a_chunk_is_heard_through_one_equaliser():
    """Every window of a chunk, as SampleRNN walks through it, is a part of the whole track through one filter."""
    changes = {"train.batch": 1, "train.chunk_len": 1600, "data.chunk_seconds": 1.0, "data.hop_seconds": 1.0}
    spec, plan, music = made("dadabots-2tier-tiny", 4.0, **changes)
    training, codec = Training(music, spec, plan, 0), codec_of(spec)
    for turn in range(4):
        taps = equaliser.drawn(4.0, 0, turn)
        unit = training._unit(turn)
        silence = np.zeros(equaliser.TAPS - 1, np.int16)
        whole = equaliser.heard(np.concatenate([silence, music.train]), taps)
        for window in range(1, training.windows):
            got = training.at(turn * training.windows + window).levels[0]
            start = unit.start + window * training.chunk_len
            wanted = codec.encode(whole[start - training.context : start + training.chunk_len] / 32768)
            assert (got != wanted).mean() < 0.01  # transforms of other lengths round otherwise, by one at most
            assert np.abs(got - wanted).max() <= 1
