"""Log-mel spectrograms: bands, edges and logarithms as the recipe says, and what is refused."""

import json
import pathlib

import numpy as np
import pytest

import sharks
from sharks.features.mel import MelSpec, mel, spectra

GOLDEN = pathlib.Path(__file__).parent / "golden"


def test_a_tone_is_in_the_band_of_its_pitch():
    spec = MelSpec(sample_rate=16000)
    for number in (5, 30, 70):
        tone = np.sin(2 * np.pi * spec.centres()[number] * np.arange(16000) / 16000).astype(np.float32)
        assert (mel(tone, spec)[10:-10].argmax(1) == number).all()


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 1023, 1024, 5000])
def test_the_number_of_frames(samples):
    sound = np.random.default_rng(0).normal(size=samples).astype(np.float32)
    spec = MelSpec(sample_rate=16000, edges="zeros")
    assert mel(sound, spec).shape == (1 + samples // 256, 80) and mel(sound, spec).dtype == np.float32


def test_a_frame_is_centred_on_its_hop():
    sound = np.zeros(4096, np.float32)
    sound[1024] = 1
    loudness = mel(sound, MelSpec(sample_rate=16000, edges="zeros")).mean(1)
    assert loudness.argmax() == 4 and np.isclose(loudness[3], loudness[5], atol=0.1)


def test_many_frames_are_as_few(monkeypatch):
    sound, spec = np.random.default_rng(1).normal(size=9000).astype(np.float32), MelSpec(sample_rate=16000)
    whole = mel(sound, spec)
    monkeypatch.setattr("sharks.features.mel._BLOCK", 3)
    assert np.allclose(mel(sound, spec), whole, atol=1e-6)


def test_weights():
    area, peak, mean = (MelSpec(sample_rate=16000, weights=kind).basis() for kind in ("area", "peak", "mean"))
    assert np.allclose(mean.sum(1), 1)
    assert peak.max() <= 1 and np.allclose(peak.max(1)[40:], 1, atol=0.2)
    assert np.allclose(area[40:].sum(1) * 16000 / 1024, 1, atol=0.1)
    narrow = MelSpec(sample_rate=16000, window=64, bands=80, weights="mean").basis()
    assert np.allclose(narrow.sum(1), 1), "a band between two frequencies takes the nearest"


def test_scales_part_and_meet():
    slaney, htk = (MelSpec(sample_rate=16000, scale=scale, bands=1).centres()[0] for scale in ("slaney", "htk"))
    assert abs(htk - 700 * ((1 + 8000 / 700) ** 0.5 - 1)) < 1e-6
    assert abs(slaney - 1000 * 6.4 ** ((45.245640471924965 / 2 - 15) / 27)) < 1e-3 and slaney != htk


def test_logarithms_and_floor():
    silence = np.zeros(2048, np.float32)
    assert np.allclose(mel(silence, MelSpec(sample_rate=16000)), np.log(1e-5))
    assert np.allclose(mel(silence, MelSpec(sample_rate=16000, log="10", floor=1e-3)), -3)


def test_magnitudes_are_those_of_the_transform():
    sound = np.random.default_rng(2).normal(size=300)
    (block,) = spectra(sound, 128, 50)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    assert block.shape == (4, 65)
    assert np.allclose(block[3], np.abs(np.fft.fft(sound[150:278] * window))[:65])
    assert list(spectra(sound, 301, 50)) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scale": "bark"}, "scale is 'bark'"),
        ({"weights": ""}, "weights is ''"),
        ({"bands": 0}, "bands is 0; wanted 1 to 4096"),
        ({"floor": 0.0}, "floor is 0"),
        ({"lowest": 8000.0}, "wanted a band below half the rate, 11025"),
        ({"sample_rate": 8000}, "below half the rate, 4000"),
    ],
)
def test_recipes_that_cannot_be_meant(fields, words):
    with pytest.raises(sharks.SpecError, match=words):
        MelSpec(**fields)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros((2, 100), np.float32), "shape"),
        (np.zeros(0, np.float32), "not empty"),
        (np.zeros(100, np.int16), "int16"),
        (np.array([0.0, np.nan]), "NaN"),
    ],
)
def test_sounds_that_are_none(sound, words):
    with pytest.raises(sharks.UsageError, match=words):
        mel(sound, MelSpec(sample_rate=16000))


@pytest.mark.parametrize("name", ["r9y9", "tacotron2"])
def test_as_other_programs_have_it(name):
    recorded = np.load(GOLDEN / f"mel_{name}.npz")
    spec = MelSpec(**json.loads(str(recorded["spec"])))
    assert np.abs(spec.basis()[::8] - recorded["basis"]).max() < 1e-6
    assert np.abs(mel(recorded["audio"], spec) - recorded["mel"]).max() < 1e-4
