"""Beat, form, tone, distance and copies, of sounds whose answer is known."""

import numpy as np
import pytest

from made_songs import music as tune
from sharks.errors import UsageError
from sharks.sound import music

RATE = 16000


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, round(seconds * RATE)).astype(np.float32)


def clicks(seconds, every=0.5):
    """Bursts of noise, as a drum machine plays them."""
    sound, burst = np.zeros(round(seconds * RATE)), noise(0.05, 1) * np.exp(-np.arange(800) / 160)
    for start in range(0, len(sound) - 800, round(every * RATE)):
        sound[start : start + 800] += burst
    return (sound + 1e-4 * noise(seconds, 2)).astype(np.float32)


def verses(seconds):
    """A low and a high noise in turn, four seconds each."""
    whole = noise(seconds, 3)
    low = np.convolve(whole, np.ones(12) / 12, "same").astype(np.float32)
    return np.where(np.arange(len(whole)) // (2 * RATE) % 2, low, whole - low)


def of(sound):
    return music.figures([sound], RATE)


def test_noise_has_nothing():
    found = of(noise(48))
    assert found.seconds == 48
    assert 0.05 < found.beat < 0.15 and abs(found.form) < 0.1 and 9.5 < found.tone < 10.1


def test_filtered_noise_has_no_tones_either():
    filtered = np.convolve(noise(20), np.exp(-np.arange(60) / 8) * np.cos(np.arange(60)), "same").astype(np.float32)
    assert 9.4 < of(filtered).tone < 10.3


@pytest.mark.parametrize("every", [0.3, 0.5, 0.9])
def test_clicks_have_a_beat(every):
    assert of(clicks(24, every)).beat > 0.6


def test_clicks_beyond_a_second_have_none():
    assert of(clicks(24, 1.7)).beat < 0.2


def test_verses_have_a_form_and_no_beat():
    found = of(verses(48))
    assert found.form > 0.5 and found.beat < 0.3


def test_strings_have_tones():
    time = np.arange(20 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) for f in (110, 220, 331, 445)).astype(np.float32) / 4
    assert of(chord + noise(20) * 0.1).tone > 15


def test_a_loop_has_beat_and_form_and_is_found_to_copy_itself():
    loop = np.tile(tune(2.0, 5), 24)
    found = of(loop)
    assert found.beat > 0.3 and found.form > 0.9
    itself = music.nearest([loop[: 8 * RATE]], [loop[8 * RATE :]], RATE)
    others = music.nearest([tune(8.0, 6)], [tune(30.0, 7)], RATE)
    assert np.median(itself) < 0.5 < 2 < np.median(others)


def test_a_copy_is_found_wherever_it_is_and_however_loud():
    song = tune(30.0, 8)
    pasted = np.concatenate([tune(4.0, 9), 0.3 * song[11 * RATE + 777 : 15 * RATE + 777], tune(4.0, 10)])
    near = music.nearest([pasted], [tune(10.0, 11), song], RATE)
    assert near[5:7].max() < 2.2 < 3 < near[[0, 1, 2, 9, 10]].min()


def test_two_halves_of_a_song_are_nearer_than_two_songs():
    song, other = tune(60.0, 12), verses(60)
    halves = music.distance([song[: 30 * RATE]], [song[30 * RATE :]], RATE)
    assert 0 <= halves < 0.2 * music.distance([song], [other], RATE)
    assert music.distance([song], [song], RATE) == pytest.approx(0, abs=1e-6)
    assert music.distance([song], [noise(60)], RATE) > halves


def test_what_is_too_short_is_said_by_nan_and_silence_is_no_trouble():
    found = of(noise(0.5))
    assert np.isnan(found.beat) and np.isnan(found.form) and not np.isnan(found.tone)
    assert all(np.isnan(value) for value in of(noise(0.1))[1:])
    assert np.isnan(music.distance([noise(1.5)], [noise(10)], RATE))
    silent = of(np.zeros(30 * RATE, np.float32))
    assert (silent.beat, silent.form) == (0.0, 0.0)
    assert len(music.nearest([np.zeros(8 * RATE, np.float32)], [noise(8)], RATE)) == 0
    assert np.isinf(music.nearest([noise(8)], [], RATE)).all()
    assert np.isinf(music.nearest([noise(8)], [noise(1)], RATE)).all()
    assert np.isnan(music.figures([], RATE).tone)


def test_an_empty_sound_is_refused():
    with pytest.raises(UsageError, match="0 samples"):
        of(np.zeros(0, np.float32))
