"""Music that stops being music is noticed, with the second; music that goes on is left in peace. The figures of a large
corpus are in tests/soak/test_collapses.py."""

import collections
import pathlib
import time

import numpy as np
import pytest

import spoilt
from collapsing import KINDS, band_of_hiss, planted
from sharks.sound import collapse
from sharks.sound.health import health
from sharks.sound.reading import read_audio

RATE = 16000
SONGS = sorted((pathlib.Path(__file__).parents[2] / "examples" / "muldjord").glob("*.ogg"))
songs_wanted = pytest.mark.skipif(len(SONGS) != 4, reason="the four example songs are not here")
NAMES = {  # what each is to be called; a loop of a few hundredths of a second is a buzz
    "silence": {"silent"},
    "stuck level": {"silent"},
    "hum": {"hum"},
    "hiss": {"noise"},
    "swelling hiss": {"noise"},
    "coloured hiss": {"noise"},
    "loop": {"loop", "hum", "noise"},
}


def made(seconds, seed=0):
    return spoilt.music(np.random.default_rng(seed), round(seconds * RATE), RATE).astype(np.float32)


def noise(seconds, colour=0.0, seed=1):
    return spoilt.noise(np.random.default_rng(seed), round(seconds * RATE), colour).astype(np.float32)


def of_songs():
    """A clip of 10 s from the middle of each song."""
    return [read_audio(path, RATE)[0].mean(axis=0)[60 * RATE : 70 * RATE] for path in SONGS]


@songs_wanted
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_collapses_of_real_music_are_found_with_their_second_and_name(rate):
    clips = [read_audio(path, rate)[0].mean(axis=0)[60 * rate : 70 * rate] for path in SONGS[:2]]
    assert [health(clip, rate).problems for clip in clips] == [()] * 2
    missed, clips_of = [], collections.Counter()
    for clip in planted(clips, rate):
        found = health(clip.samples, rate)
        clips_of[clip.kind] += 1
        if not clip.is_found(found.collapse) or found.verdict.split(":")[0] not in NAMES[clip.kind]:
            missed.append((clip.kind, clip.after, found.collapse, found.verdict))
    assert len(clips_of) == len(KINDS) and len(missed) <= 0.05 * sum(clips_of.values()), missed


def test_the_sentence_says_from_when_on_and_why():
    hissing = health(np.concatenate([made(4), noise(5)]), RATE)
    assert hissing.collapse == pytest.approx(4, abs=0.3)
    assert hissing.verdict.startswith(f"noise: from {hissing.collapse:.1f} s on its spectral flatness is 0.5")
    assert hissing.to_dict()["lapses"][0]["start"] == hissing.collapse
    silent = health(np.concatenate([made(4), np.zeros(4 * RATE)]), RATE)
    assert silent.collapse == pytest.approx(4, abs=0.5)
    assert silent.verdict == f"silent: from {silent.collapse:.1f} s on nothing above -50 dBFS"
    assert "lapses" not in health(made(8), RATE).to_dict() and health(made(8), RATE).collapse is None


def test_music_that_comes_back_has_a_lapse_and_no_collapse():
    found = health(np.concatenate([made(4), noise(5), made(4, 2)]), RATE)
    (lapse,) = found.lapses
    assert (lapse.start, lapse.stop) == (pytest.approx(4, abs=0.3), pytest.approx(9, abs=0.3))
    assert found.collapse is None and found.verdict.startswith("noise: from ") and " s to 9" in found.verdict


def test_a_loop_begins_where_it_is_first_heard_again():
    """The first time round is music."""
    riff = made(4)[-round(0.6 * RATE) :]
    found = health(np.concatenate([made(4), np.tile(riff, 7)]), RATE)
    assert found.collapse == pytest.approx(4, abs=0.3)
    assert found.verdict == f"loop: from {found.collapse:.1f} s on it repeats itself every 0.6 s"


def test_white_noise_is_noise_even_where_its_colour_wanders():
    turn = np.sin(np.arange(5 * RATE) * 2 * np.pi / RATE) ** 2
    wandering = turn * noise(5, 0.0) + (1 - turn) * noise(5, 0.3, seed=2)
    found = health(np.concatenate([made(4), wandering]), RATE)
    assert found.collapse == pytest.approx(4, abs=0.4) and found.verdict.startswith("noise: from ")


@pytest.mark.parametrize("pause", [noise(2), np.zeros(5 * RATE, np.float32), np.full(2 * RATE, 0.2, np.float32)])
def test_a_cymbal_a_pause_and_a_held_note_are_music_where_music_goes_on(pause):
    assert health(np.concatenate([made(6), pause, made(6, 2)]), RATE).lapses == ()


@pytest.mark.parametrize("colour", [0, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("swell", [0.0, 0.5])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_hiss_of_any_colour_is_noise_however_it_swells(colour, swell, rate):
    time = np.arange(8 * rate) / rate
    hiss = spoilt.noise(np.random.default_rng(3), 8 * rate, colour) * (1 - swell * np.sin(3 * time) ** 2)
    assert health(hiss, rate).verdict.startswith("noise: ")


@songs_wanted
def test_hiss_as_coloured_as_a_song_is_noise():
    """What a model plays that learnt the spectrum of its songs and nothing else."""
    for song in of_songs():
        assert health(band_of_hiss(np.random.default_rng(0), song, len(song), RATE), RATE).verdict.startswith("noise: ")


def test_noise_is_named_before_an_offset_and_clipping():
    hiss = np.clip(4 * noise(8) + 0.3, -1, 1)
    assert [problem.split(":")[0] for problem in health(hiss, RATE).problems] == ["noise", "steady", "clipped", "dc"]


def test_no_number_looks_like_its_limit():
    assert collapse.told_apart(0.2204, 0.22) == ("0.2204", "0.2200")
    assert collapse.told_apart(0.56, 0.22) == ("0.56", "0.22") and collapse.told_apart(1.0, 1.0) == ("1.00", "1.00")
    assert collapse.told_apart(1.79999, 1.8, 1) == ("1.79999", "1.80000")


def test_a_minute_is_heard_within_a_second():
    minute = made(60)
    health(minute, RATE)  # measures noise at this rate, once
    began = time.process_time()
    health(minute, RATE)
    assert time.process_time() - began < 1
