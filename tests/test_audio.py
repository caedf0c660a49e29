"""Reading and writing audio: exact where it can be, bounded and calm where the file is not."""

import json
import os
import signal
import subprocess
import sys
import wave

import numpy as np
import pytest
import soundfile as sf

from sharks.audio import Decoder, WavWriter, at_rate, info, mixed, read_audio, shown, write_wav
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


# --- writing


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


# --- reading


@pytest.mark.parametrize("kind", ["WAV PCM_16", "FLAC PCM_24", "AIFF PCM_24", "WAV FLOAT", "CAF PCM_32"])
def test_read_is_what_was_written(tmp_path, kind):
    form, subtype = kind.split()
    x = tune(2.0, channels=2)
    sf.write(tmp_path / "a", x.T, RATE, format=form, subtype=subtype)
    got, rate = read_audio(tmp_path / "a")
    assert rate == RATE and got.shape == x.shape and got.dtype == np.float32
    assert np.abs(got - x).max() <= (1 / 32768 if "16" in subtype else 1e-6)
    assert info(tmp_path / "a").format == kind and info(tmp_path / "a").seconds == 2.0
    assert np.allclose(read_audio(tmp_path / "a", mono=True)[0], got.mean(0, keepdims=True), atol=1e-7)
    assert np.array_equal(read_audio(tmp_path / "a", seconds=0.5)[0], got[:, :8000])


@pytest.mark.parametrize("source,target", [(44100, 16000), (16000, 44100), (1000, 16000), (768000, 8000)])
def test_resampling_in_blocks_equals_resampling_at_once(source, target):
    import soxr

    x = tune(1.0, rate=source, channels=2)
    blocks = np.split(x, [1, 2, 500, 501, 900], axis=1)
    got = np.concatenate(list(at_rate(blocks, source, target)), axis=1)
    want = soxr.resample(x.T, source, target, quality="HQ").T
    assert got.shape == want.shape == (2, target)
    assert np.abs(got - want).max() < 1e-6
    assert np.abs(got).max() <= 1


def test_mixing_down_is_the_mean_and_one_channel_passes_untouched():
    x = tune(0.1, channels=3)
    assert np.allclose(next(mixed([x])), x.mean(0, keepdims=True))
    assert next(mixed([x[:1]])) is not None and np.array_equal(next(mixed([x[:1]])), x[:1])


def test_one_decoder_reads_many_files_and_forgets_half_read_ones(tmp_path):
    write_wav(tmp_path / "long.wav", tune(60.0), RATE)
    write_wav(tmp_path / "short.wav", tune(0.5, seed=1), RATE)
    want = read_audio(tmp_path / "short.wav")[0]
    with Decoder() as decoder:
        for _ in range(3):
            next(iter(decoder.open(tmp_path / "long.wav")))
            with pytest.raises(AudioError):
                decoder.open(__file__)
            assert np.array_equal(read_audio(tmp_path / "short.wav", decoder=decoder)[0], want)


def test_a_killed_decoder_is_one_sentence_and_the_next_file_is_read(tmp_path):
    write_wav(tmp_path / "a.wav", tune(60.0), RATE)
    with Decoder() as decoder:
        recording = decoder.open(tmp_path / "a.wav")
        decoder._child.kill()
        with pytest.raises(AudioError, match=r"a\.wav: its decoder crashed"):
            for _ in recording:
                pass
        assert read_audio(tmp_path / "a.wav", decoder=decoder)[0].shape == (1, 60 * RATE)


def test_errors_name_the_file_on_one_line(tmp_path):
    path = tmp_path / "two\nlines\udcff.mp3"
    path.write_text("not music\n" * 100)
    with pytest.raises(AudioError, match=r"two\\nlines\\udcff.mp3: not audio") as caught:
        read_audio(path)
    assert "\n" not in str(caught.value) and json.dumps(shown(path))
