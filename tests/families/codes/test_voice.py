"""The noise voice: it has the spectrum that the codes mean, and cutting its work cannot be heard."""

import numpy as np
import pytest

from made_songs import music
from sharks import _core
from sharks.engine import filters as reference
from sharks.families.codes.tokenizer.fit import fit
from sharks.families.codes.tokenizer.tokenizer import Tokenizer, frames
from sharks.families.codes.voice.envelope import Envelope
from sharks.families.codes.voice.noise import KNEE, NoiseVoice, rounded
from sharks.features.mel import MelSpec, mel
from sharks.spec import CodesSpec

SPEC = CodesSpec(bands=40, dims=24, books=4, q_levels=32, hidden=8, width=8)
STREAMS = np.array([3, 0, 3], np.int64)


@pytest.fixture(scope="module")
def tensors():
    return fit([lambda: music(8.0, 1)], SPEC, seed=0)


@pytest.fixture(scope="module")
def codes(tensors):
    return Tokenizer(SPEC, tensors).encode(music(6.0, 1)).reshape(1, -1)


def voice(tensors, streams=STREAMS[:1], filter=_core.all_pole, seed=7):
    return NoiseVoice(SPEC, tensors, seed, streams, filter)


def test_it_sounds_as_the_codes_mean(tensors, codes):
    said = voice(tensors, np.arange(16)).say(np.repeat(codes, 16, axis=0), 0)
    heard = np.mean([frames(one, SPEC).reshape(-1, SPEC.bands) for one in said], axis=0)  # noise differs by itself
    meant = Tokenizer(SPEC, tensors).decode(codes.reshape(-1, SPEC.books))
    loud = meant > meant.max() - 5  # an all-pole filter of few poles does not follow valleys
    assert abs((heard - meant)[loud].mean()) * 8.7 < 1.5, "it is as loud as it should be, in decibels"
    alike, otherwise = (np.corrcoef(heard[loud], other[loud])[0, 1] for other in (meant, meant[::-1]))
    assert alike > 0.75 and alike > otherwise + 0.3


def test_cutting_cannot_be_heard_nor_company(tensors, codes):
    whole = voice(tensors).say(codes, 0)
    parts, speaker, Q, length = [], voice(tensors), SPEC.books, SPEC.pace.samples
    for start, stop in ((0, 1), (1, 2), (2, 40), (40, codes.shape[1] // Q)):
        parts.append(speaker.say(codes[:, start * Q : stop * Q], start * length))
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    together = voice(tensors, STREAMS).say(np.concatenate([codes, codes[:, ::-1], codes]), 0)
    assert np.array_equal(together[0], whole[0]) and np.array_equal(together[2], whole[0])
    assert not np.array_equal(together[1], whole[0])


def test_seed_and_stream_choose_the_noise(tensors, codes):
    said = voice(tensors).say(codes, 0)
    assert not np.array_equal(voice(tensors, seed=8).say(codes, 0), said)
    assert not np.array_equal(voice(tensors, STREAMS[1:2]).say(codes, 0), said)


def test_its_state_is_a_value(tensors, codes):
    one, half = voice(tensors), codes.shape[1] // SPEC.books // 2 * SPEC.books
    one.say(codes[:, :half], 0)
    other = voice(tensors)
    other.state = {name: array.copy() for name, array in one.state.items()}
    at = half // SPEC.books * SPEC.pace.samples
    assert np.array_equal(one.say(codes[:, half:], at), other.say(codes[:, half:], at))


def test_the_reference_filter_says_the_same(tensors, codes):
    short = codes[:, : 20 * SPEC.books]
    got, want = (voice(tensors, filter=f).say(short, 0) for f in (_core.all_pole, reference.all_pole))
    assert np.abs(got - want).max() <= 1e-6


def test_any_codes_are_finite_sound_within_full_scale(tensors):
    draw = np.random.default_rng(0)
    wild = {name: array * 4 for name, array in tensors.items()}
    for weights in (tensors, wild):
        said = voice(weights).say(draw.integers(0, SPEC.q_levels, (1, 200 * SPEC.books)).astype(np.int32), 0)
        assert np.isfinite(said).all() and np.abs(said).max() <= 1


def test_the_compiled_filter_equals_numpys():
    draw = np.random.default_rng(1)
    noise = draw.normal(size=(2, 60)).astype(np.float32)
    predictors, gains = 0.2 * draw.normal(size=(2, 6, 5)), draw.uniform(0.1, 2, (2, 6))
    past = draw.normal(size=(2, 5))
    got, want = (f(noise, predictors, gains, past) for f in (_core.all_pole, reference.all_pole))
    assert np.abs(got[0] - want[0]).max() <= 1e-6 and np.abs(got[1] - want[1]).max() <= 1e-12
    assert np.abs(got[0][:, 0] - (gains[:, 0] * noise[:, 0] + (predictors[:, 0] * past).sum(1))).max() <= 1e-6


@pytest.mark.parametrize("wrong", ["excitation", "gains", "past"])
def test_the_compiled_filter_refuses_shapes_that_do_not_fit(wrong):
    given = {
        "excitation": np.zeros((2, 60), np.float32),
        "predictors": np.zeros((2, 6, 5)),
        "gains": np.zeros((2, 6)),
        "past": np.zeros((2, 5)),
    }
    with pytest.raises(ValueError, match=wrong):
        _core.all_pole(**given | {wrong: given[wrong][:, :-1]})


def test_an_envelope_of_white_noise_is_flat_and_as_loud():
    spec = MelSpec(sample_rate=16000, weights="mean", edges="zeros", highest=8000.0)
    noise = np.random.default_rng(2).normal(0, 0.25, 160000).astype(np.float32)
    predictors, gains = Envelope(spec, 8).filters(mel(noise, spec)[4:-4].mean(0, keepdims=True))
    assert abs(gains[0] - 0.25) < 0.01 and np.abs(predictors).max() < 0.05


def test_peaks_are_rounded_and_all_else_left_alone():
    sound = np.array([0, 0.5, -KNEE, 0.9, -3.0], np.float32)
    bent = rounded(sound)
    assert np.array_equal(bent[:3], sound[:3])
    assert KNEE < bent[3] < 0.9 and -1 <= bent[4] < -0.99
