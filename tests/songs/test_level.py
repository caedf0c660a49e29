"""Loudness is the standard's at every rate, and a song is as loud as asked for, its peaks under the ceiling."""

import math

import numpy as np
import pyloudnorm
import pytest
import soxr

from sharks.songs.level import CEILING, MOST_LIMITING, NEAR, levelled
from sharks.songs.limiter import LOOK_AHEAD, _held, _most_around, _smoothed, limited
from sharks.songs.loudness import integrated, true_peak

RATES = [16000, 22050, 44100, 48000]


def sine(seconds, rate, db, channels=2):
    """A tone of 1 kHz with a peak of so many dBFS."""
    tone = 10 ** (db / 20) * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * rate)) / rate)
    return np.tile(tone.astype(np.float32), (channels, 1))


def drums(seconds, rate, seed=0, level=0.3):
    """Hits of noise over a bass: peaks far above the mean, as in music."""
    rng, n = np.random.default_rng(seed), round(seconds * rate)
    time = np.arange(n) / rate
    hits = rng.standard_normal(n) * np.exp(-30 * (time % 0.4))
    bass = np.sin(2 * np.pi * 55 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.3 * time))
    return level * below(hits + 0.4 * bass, 0.8)


def below(signal, part):
    """Without what lies in the last of the band, where programs that resample differ: float32 (1, n)."""
    spectrum = np.fft.rfft(signal)
    spectrum[round(part * len(spectrum)) :] = 0
    return np.fft.irfft(spectrum, len(signal))[None].astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "parts, wanted",
    [
        ([(20, -23)], -23.0),
        ([(20, -33)], -33.0),
        ([(10, -36), (60, -23), (10, -36)], -23.0),
        ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23.0),
        ([(20, -26), (20.1, -20), (20, -26)], -23.0),
    ],
    ids=["1", "2", "3", "4", "5"],
)
def test_signals_of_ebu_tech_3341(parts, wanted, rate):
    """Table 1, within its tolerance of 0.1 LU. The tone is as loud at every rate that holds it."""
    signal = np.concatenate([sine(seconds, rate, db) for seconds, db in parts], axis=1)
    assert integrated(signal, rate) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000])
def test_a_low_rate_weighs_as_the_same_music_resampled(rate):
    """By another program, at the rate for which the standard prints its filters."""
    hiss = below(0.1 * np.random.default_rng(1).standard_normal(10 * rate), 0.8)
    for samples in (drums(10, rate), hiss):
        up = soxr.resample(samples[0], rate, 48000, quality="VHQ")
        assert integrated(samples, rate) == pytest.approx(
            pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(up), abs=0.01
        )


def peak_between(samples, factor=16):
    """The highest amplitude in dB, of samples interpolated by a zero-padded spectrum: no code of ours."""
    n = samples.shape[1]
    spectrum = np.fft.rfft(samples.astype(np.float64))
    padded = np.zeros((len(samples), n * factor // 2 + 1), complex)
    padded[:, : spectrum.shape[1]] = spectrum
    return 20 * math.log10(np.abs(np.fft.irfft(padded, n * factor) * factor).max())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gain", [3.0, 8.0, 20.0])
def test_nothing_passes_the_limiter(rate, gain):
    loud = drums(8, rate) * np.float32(10 ** (gain / 20))
    assert peak_between(loud) > CEILING + 2
    quieter, most = limited(loud, rate, CEILING)
    assert peak_between(quieter) <= CEILING + 0.25, "the standard looks at four points for a sample, this at sixteen"
    assert CEILING - 0.2 <= true_peak(quieter, rate) <= CEILING + 1e-6
    assert most == pytest.approx(true_peak(loud, rate) - CEILING, abs=0.1)


def test_what_is_quiet_is_left_alone_and_so_is_the_rest_of_a_song():
    rate, quiet = 16000, drums(8, 16000, level=0.05)
    same, most = limited(quiet, rate, CEILING)
    assert same is quiet and most == 0.0
    quiet[0, 4 * rate] = 1.5
    clicked, most = limited(quiet, rate, CEILING)
    touched = np.flatnonzero(np.abs(clicked[0] - quiet[0]) > 1e-5)
    assert 4 * rate - LOOK_AHEAD * rate - 4 <= touched[0] and touched[-1] <= 4 * rate + 0.15 * rate
    assert most == pytest.approx(20 * math.log10(1.5) - CEILING, abs=0.7)


def test_channels_are_turned_down_alike():
    both = np.concatenate([drums(4, 16000, level=1.5), drums(4, 16000, seed=9, level=0.1)])
    quieter, _ = limited(both, 16000, CEILING)
    gain = [quieter[i] / both[i] for i in range(2)]
    sounding = (np.abs(both) > 0.01).all(axis=0)
    assert np.allclose(gain[0][sounding], gain[1][sounding], rtol=1e-4)


def test_the_gain_never_jumps():
    """Within the look-ahead it rises by its share of what is needed, and falls no faster."""
    needed = np.zeros(4000)
    needed[2000] = 12.0
    half = 40
    reduction = _smoothed(_held(needed, 60 / 16000), half)
    assert (reduction >= needed - 1e-9).all() and reduction.max() == pytest.approx(12.0, abs=0.2)
    assert np.abs(np.diff(reduction)).max() <= 12.0 / (2 * half + 1) + 1e-9
    assert reduction[: 2000 - 2 * half].max() == 0.0


@pytest.mark.parametrize("half", [1, 2, 7, 40])
@pytest.mark.parametrize("n", [1, 5, 100, 1001])
def test_the_most_around_is_that_of_a_plain_loop(n, half):
    values = np.random.default_rng(n).random(n)
    plain = [values[max(0, i - half) : i + half + 1].max() for i in range(n)]
    assert np.array_equal(_most_around(values, half), plain)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("target", [-30.0, -22.0, -20.0])
def test_a_song_is_as_loud_as_asked_for(rate, target):
    song, _, limiting = levelled(drums(12, rate), rate, target)
    assert abs(integrated(song, rate) - target) <= NEAR
    assert true_peak(song, rate) <= CEILING + 1e-6 and limiting <= MOST_LIMITING + 0.3
    assert (limiting == 0.0) == (target == -30.0) and (limiting > 3.0) == (target == -20.0)


def test_what_cannot_be_reached_is_not_pressed_into_it():
    song, gain, limiting = levelled(drums(12, 16000), 16000, -3.0)
    assert integrated(song, 16000) < -3.0 - 2 * NEAR
    assert limiting == pytest.approx(MOST_LIMITING, abs=0.3) and true_peak(song, 16000) <= CEILING + 1e-6
    silence = np.zeros((1, 16000), np.float32)
    assert not levelled(silence, 16000, -14.0)[0].any()
