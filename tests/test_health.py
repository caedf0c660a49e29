"""Every usual failure is found and named; real music is left in peace."""

import json
import pathlib
import time

import numpy as np
import pytest

from sharks.audio import read_audio
from sharks.errors import UsageError
from sharks.health import health

RATE, SECONDS = 16000, 8
N = RATE * SECONDS
T = np.arange(N) / RATE
SONGS = sorted((pathlib.Path(__file__).parent.parent / "examples" / "muldjord").glob("*.ogg"))
songs_wanted = pytest.mark.skipif(len(SONGS) != 4, reason="the four example songs are not here")


def noise(random, slope=0.0):
    """Noise whose power falls by 6 `slope` dB per octave; peak 0.3."""
    x = np.fft.irfft(np.fft.rfft(random.standard_normal(N)) / np.arange(1, N // 2 + 2) ** slope, N)
    x -= x.mean()
    return 0.3 * x / np.abs(x).max()


def music(random):
    """Something like music: notes of several partials that come and go over a beat, with drums of noise."""
    x = np.zeros(N)
    start = 0
    while start < N:
        length = int(random.uniform(0.1, 0.6) * RATE)
        t = np.arange(min(length, N - start)) / RATE
        fade = np.exp(-t * random.uniform(2, 12))
        pitch = 55 * 2 ** (random.integers(0, 36) / 12)
        for partial in range(1, 9):
            x[start : start + length] += fade * np.sin(2 * np.pi * pitch * partial * t) / partial
        x[start : start + length] += random.uniform(0, 0.8) * np.exp(-t * 30) * random.standard_normal(len(t))
        start += length
    return 0.5 * x / np.abs(x).max()


def repeated(random):
    riff = music(random)[: int(random.uniform(0.2, 2.5) * RATE)]
    return np.tile(riff, N // len(riff) + 1)[:N] + random.uniform(0, 0.005) * random.standard_normal(N)


def whistling(random):
    tone = np.sin(2 * np.pi * random.uniform(1000, 6000) * T)
    return 0.3 * tone + 0.3 * random.uniform(0.1, 0.5) * music(random)


FAILURES = {
    "silent": lambda r: music(r) * np.where(T < r.uniform(0, 0.6) * SECONDS, 1, 10 ** r.uniform(-6, -3)),
    "dc": lambda r: music(r) * 0.5 + r.choice([-1, 1]) * r.uniform(0.04, 0.4),
    "clipped": lambda r: np.clip(music(r) * r.uniform(8, 40), -1, 1),
    "noise": lambda r: noise(r, r.uniform(0, 0.4)) * (1 if r.random() < 0.5 else np.sin(np.pi * T / SECONDS)),
    "steady": lambda r: (
        noise(r, r.uniform(0.5, 1.5)) if r.random() < 0.5 else 0.4 * np.sign(np.sin(2 * np.pi * 80 * T))
    ),
    "whistle": whistling,
    "loop": repeated,
}


def found(problem, clips):
    return np.mean([any(p.startswith(problem) for p in health(clip, RATE).problems) for clip in clips])


@pytest.mark.parametrize("problem", FAILURES)
def test_failures_are_found(problem):
    random = np.random.default_rng(list(FAILURES).index(problem))
    assert found(problem, [FAILURES[problem](random) for _ in range(40)]) >= 0.95


def test_something_like_music_is_left_in_peace():
    random = np.random.default_rng(7)
    verdicts = [health(music(random), RATE).verdict for _ in range(50)]
    assert sum(verdict != "ok" for verdict in verdicts) <= 1, verdicts


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
        "noise": 0.1 * song + noise(np.random.default_rng(0)),
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
    broken = music(np.random.default_rng(0))
    broken[5] = np.nan
    assert health(broken, RATE).verdict == "not finite: 1 samples are NaN or infinite"
    assert np.isfinite([v for v in health(broken, RATE).to_dict().values() if isinstance(v, float)]).all()
    short = health(0.1 * np.sin(2 * np.pi * 440 * T[:RATE]), RATE)
    assert short.verdict == "ok"  # a second of one tone is not yet a stuck one
    stereo = music(np.random.default_rng(0))
    assert health(np.stack([stereo, stereo]), RATE) == health(stereo, RATE)
    json.dumps(health(np.zeros(0), RATE).to_dict())
    for bad in (lambda: health(np.zeros((1, 2, 3)), RATE), lambda: health(np.zeros(9), 100)):
        with pytest.raises(UsageError):
            bad()


def test_faster_than_a_hundred_times_real_time():
    x = music(np.random.default_rng(0)).astype(np.float32)
    best = min(_seconds(lambda: health(x, RATE)) for _ in range(5))
    assert SECONDS / best > 100


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
