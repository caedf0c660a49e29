"""The numbers of known clips, spoilt music, and music that is left in peace; test_health_corpus.py has the shares."""

import json
import pathlib

import numpy as np
import pytest

from sharks.errors import UsageError
from sharks.sound.health import health
from sharks.sound.reading import read_audio
from spoilt import music, noise

RATE, SECONDS = 16000, 8
N = RATE * SECONDS
T = np.arange(N) / RATE
SONGS = sorted((pathlib.Path(__file__).parents[2] / "examples" / "muldjord").glob("*.ogg"))
songs_wanted = pytest.mark.skipif(len(SONGS) != 4, reason="the four example songs are not here")


@songs_wanted
@pytest.mark.parametrize("rate,seconds", [(16000, 8), (16000, 20), (8000, 8)])
def test_real_music_is_left_in_peace(rate, seconds):
    alarms, windows = [], 0
    for path in SONGS:
        song = read_audio(path, rate)[0][0]
        for start in range(0, len(song) - seconds * rate, seconds * rate // 2):
            verdict = health(song[start : start + seconds * rate], rate).verdict
            windows += 1
            if verdict != "ok":
                alarms.append((path.name, start / rate, verdict))
    assert windows > 70 and len(alarms) <= 0.02 * windows, alarms


@songs_wanted
def test_spoilt_real_music_is_noticed():
    song = read_audio(SONGS[1])[0][0][60 * RATE : 68 * RATE]
    riff = song[: int(1.3 * RATE)]
    assert health(song, RATE).verdict == "ok"
    for problem, clip in {
        "clipped": np.clip(4 * song, -1, 1),
        "dc": 0.5 * song + 0.1,
        "silent": song * (T < 5),
        "loop": np.tile(riff, 7)[:N],
        "whistle": 0.5 * song + 0.3 * np.sin(2 * np.pi * 3000 * T),
        "noise": 0.1 * song + noise(np.random.default_rng(0), N),
    }.items():
        assert health(clip, RATE).verdict.startswith(problem), problem


def test_the_numbers_of_known_clips():
    tone = health(0.5 * np.sin(2 * np.pi * 1000 * T), RATE)
    assert tone.rms_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1e-3)
    assert tone.peak == pytest.approx(0.5, abs=1e-4) and tone.dc == pytest.approx(0, abs=1e-6)
    assert tone.centroid == pytest.approx(1000, abs=2) and tone.flatness < 1e-4 and tone.whistle == 1
    white = health(0.1 * np.random.default_rng(0).standard_normal(N), RATE)
    assert white.flatness == pytest.approx(np.exp(-np.euler_gamma), abs=0.01)  # of a chi-squared spectrum
    assert white.centroid == pytest.approx(4000, abs=60) and white.loop < 0.2
    assert health(np.repeat([0.0, 1.0], N // 2), RATE).clipped_fraction == 0.5
    assert health(np.full(N, 0.25), RATE).dc == pytest.approx(0.25)


def test_silence_is_counted_in_windows_and_whole_seconds():
    x = 0.1 * np.random.default_rng(0).standard_normal(N)
    assert (health(x, RATE).silent_fraction, health(x, RATE).silent_seconds) == (0, 0)
    x[8000 : 8000 + 2 * RATE] = 0.3  # DC is silence too
    x[5 * RATE : int(5.9 * RATE)] = 0  # less than a second
    got = health(x, RATE)
    assert got.silent_seconds == 2 and got.silent_fraction == pytest.approx(29 / 80)
    assert health(0.0031 * np.sign(x + 1e-9) * (-1) ** np.arange(N), RATE).silent_fraction == 1  # -50 dBFS is 0.00316
    assert health(0.0033 * (-1.0) ** np.arange(N), RATE).silent_fraction == 0


def test_clips_that_are_hardly_clips():
    assert health(np.zeros(0), RATE).verdict.startswith("empty")
    assert health(np.zeros(1), RATE).verdict.startswith("silent")
    assert health(np.zeros(N), RATE).problems == ("silent: 100% lies below -50 dBFS",)
    broken = music(np.random.default_rng(0), N, RATE)
    broken[5] = np.nan
    assert health(broken, RATE).verdict == "not finite: 1 samples are NaN or infinite"
    assert np.isfinite([v for v in health(broken, RATE).to_dict().values() if isinstance(v, float)]).all()
    short = health(0.1 * np.sin(2 * np.pi * 440 * T[:RATE]), RATE)
    assert short.verdict == "ok"  # a second of one tone is not yet a stuck one
    stereo = music(np.random.default_rng(0), N, RATE)
    assert health(np.stack([stereo, stereo]), RATE) == health(stereo, RATE)
    json.dumps(health(np.zeros(0), RATE).to_dict())
    for bad in (lambda: health(np.zeros((1, 2, 3)), RATE), lambda: health(np.zeros(9), 100)):
        with pytest.raises(UsageError):
            bad()
