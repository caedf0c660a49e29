"""Writing WAV files that are whole at every moment."""

import os
import signal
import subprocess
import sys
import wave

import numpy as np
import pytest

from sharks.audio import WavWriter, read_audio, write_wav
from sharks.errors import AudioError, ResourceError, UsageError
from sharks.wav import to_pcm

RATE = 16000


def tune(seconds=1.0, rate=RATE, channels=1, seed=0):
    """A gliding tone in a little noise, float32 (channels, n), every channel different."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((channels, len(t)))
    return (0.4 * np.sin(2 * np.pi * 220 * t * (1 + 0.1 * t)) + 0.02 * noise).astype(np.float32)


def frames_by_wave(path):
    with wave.open(str(path)) as file:
        return file.getnframes()


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_wav_is_whole_after_every_block(tmp_path, channels):
    x, path = tune(0.5, channels=channels), tmp_path / "a.wav"
    with WavWriter(path, RATE, channels) as wav:
        assert frames_by_wave(path) == 0
        for start in range(0, 8000, 1000):
            wav.write(x[:, start : start + 1000])
            assert frames_by_wave(path) == wav.frames == start + 1000
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (channels, 2, RATE, 8000)
        pcm = np.frombuffer(file.readframes(8000), "<i2").reshape(-1, channels).T
    assert np.array_equal(pcm, np.rint(x * 32768))
    assert path.stat().st_size == 44 + 2 * channels * 8000


def test_all_pcm_values_survive_reading_and_writing(tmp_path):
    pcm = np.arange(-32768, 32768).astype(np.int16)
    assert np.array_equal(to_pcm(pcm / np.float32(32768)), pcm)
    write_wav(tmp_path / "a.wav", pcm / np.float32(32768), RATE)
    x, rate = read_audio(tmp_path / "a.wav")
    assert rate == RATE and np.array_equal(x[0] * 32768, pcm)


def test_too_loud_is_held_and_counted(tmp_path):
    with WavWriter(tmp_path / "a.wav", RATE) as wav:
        wav.write(np.array([0.0, 1.0, 1.5, -1.0, -7.0], np.float32))
        assert wav.clipped == 2
    assert np.array_equal(read_audio(tmp_path / "a.wav")[0][0] * 32768, [0, 32767, 32767, -32768, -32768])


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_nan_never_becomes_sound(tmp_path, poison):
    x = tune(0.1)[0]
    with WavWriter(tmp_path / "a.wav", RATE) as wav:
        wav.write(x)
        with pytest.raises(AudioError, match="NaN"):
            wav.write(np.where(np.arange(1600) == 800, poison, x).astype(np.float32))
        wav.write(x)
    assert frames_by_wave(tmp_path / "a.wav") == 3200
    with pytest.raises(AudioError):
        write_wav(tmp_path / "b.wav", np.append(np.zeros(1 << 19), poison), RATE)
    assert os.listdir(tmp_path) == ["a.wav"]


def test_wrong_shapes_rates_and_places_are_one_sentence(tmp_path):
    for call in (lambda: WavWriter(tmp_path / "a.wav", 0), lambda: WavWriter(tmp_path / "a.wav", RATE, 0)):
        with pytest.raises(UsageError):
            call()
    with WavWriter(tmp_path / "a.wav", RATE, 2) as wav:
        for bad in (np.zeros((1, 9)), np.zeros((2, 9), np.int16), np.zeros((1, 2, 9))):
            with pytest.raises(UsageError, match="wanted float"):
                wav.write(bad)
    with pytest.raises(ResourceError):
        WavWriter(tmp_path / "nowhere" / "a.wav", RATE)


def test_four_gigabytes_is_the_end(tmp_path):
    with WavWriter(tmp_path / "a.wav", RATE) as wav:
        wav.frames = 2**31 - 100  # as if they had been written
        with pytest.raises(ResourceError, match="4 GiB"):
            wav.write(np.zeros(200, np.float32))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence():
    with pytest.raises(ResourceError, match="No space left"):
        WavWriter("/dev/full", RATE)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_while_writing(tmp_path):
    path = tmp_path / "a.wav"
    code = "import sys, numpy as np\nfrom sharks.wav import WavWriter\nw = WavWriter(sys.argv[1], 16000)\n"
    code += "while True:\n    w.write(np.full(777, 0.25, np.float32)); print(w.frames, flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    for _ in range(50):
        seen = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with wave.open(str(path)) as file:
        assert file.getnframes() >= seen
        assert set(np.frombuffer(file.readframes(file.getnframes()), "<i2")) == {8192}
