"""Reading audio: exact where it can be, bounded and calm where the file is not."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf

import sharks
from sharks.errors import AudioError
from sharks.sound.reading import Decoder, DecoderDied, at_rate, info, mixed, read_audio, shown
from sharks.sound.wav import write_wav

RATE = 16000


def tune(seconds=1.0, rate=RATE, channels=1, seed=0):
    """A gliding tone in a little noise, float32 (channels, n), every channel different."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((channels, len(t)))
    return (0.4 * np.sin(2 * np.pi * 220 * t * (1 + 0.1 * t)) + 0.02 * noise).astype(np.float32)


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


def test_decoders_are_not_loaded_before_they_are_needed():
    code = "import sys, sharks.sound.reading, sharks.dataset.prepare, sharks.sound.health\n"
    code += "print([name for name in ('soundfile', 'soxr', 'PIL', 'torch', 'scipy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


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


def test_headers_alone_leave_the_child_free_for_the_next_file(tmp_path):
    for seconds in (1, 60):
        write_wav(tmp_path / f"{seconds}.wav", tune(seconds), RATE)
    with Decoder() as decoder:
        child = decoder.header(tmp_path / "1.wav") and decoder._child
        for seconds in (60, 1, 60):
            got = decoder.header(tmp_path / f"{seconds}.wav")
            assert (got.rate, got.channels, got.frames) == (RATE, 1, seconds * RATE)
            with pytest.raises(AudioError, match="not audio that can be read"):
                decoder.header(__file__)
            assert read_audio(tmp_path / "1.wav", decoder=decoder)[0].shape == (1, RATE)
        assert decoder._child is child and not child.dead


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


# --- decoders that misbehave

MISBEHAVING = """
import ctypes, os, struct

class LibsndfileError(Exception):
    code = 1

class SoundFile:
    samplerate, channels, format, subtype, extra_info = 16000, 1, "FAKE", "PCM", ""
    poisoned = False  # by an earlier file in this process

    def __init__(self, raw):
        self.kind = raw.read(99).decode()
        self.left = self.frames = 48000
        if self.kind == "hang in open":
            ctypes.PyDLL(None).sleep(60)

    def buffer_read_into(self, buffer, dtype):
        if self.kind == "crash" or SoundFile.poisoned:
            ctypes.string_at(0)
        if self.kind == "exit":
            os._exit(0)
        if self.kind == "hang":
            ctypes.PyDLL(None).sleep(60)  # in C, and without letting go of Python's lock
        if self.kind == "swell":
            self.much = bytearray(600 << 20)
        frames = min(self.left, len(buffer) // 4)
        self.left -= frames
        level = len(self.kind) / 16
        buffer[: 4 * frames] = struct.pack("ff", level, -level) * (frames // 2)
        return frames

    def __enter__(self):
        return self

    def __exit__(self, *why):
        SoundFile.poisoned = self.kind == "poison"
"""


@pytest.fixture
def misbehaving(tmp_path, monkeypatch):
    """Puts a decoder in place of soundfile, in the child only, that does what the file says."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "soundfile.py").write_text(MISBEHAVING)
    monkeypatch.syspath_prepend(tmp_path / "path")
    (tmp_path / "in").mkdir()

    def file(name, kind):
        (tmp_path / "in" / name).write_text(kind)
        return tmp_path / "in" / name

    return file


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of memory to set")
@pytest.mark.parametrize("kind", ["crash", "exit", "hang", "hang in open", "swell"])
def test_a_decoder_that_misbehaves_costs_one_file(misbehaving, kind):
    good, bad = misbehaving("good", "fine"), misbehaving("bad", kind)
    start = time.perf_counter()
    with Decoder() as decoder:
        assert np.abs(read_audio(good, decoder=decoder)[0]).max() == 0.25
        with pytest.raises(
            AudioError, match="wants more than 448 MB" if kind == "swell" else "crashed or took over 4 s"
        ):
            read_audio(bad, decoder=decoder)
        assert read_audio(good, decoder=decoder)[0].shape == (1, 48000)
    assert time.perf_counter() - start < 10


def test_a_file_does_not_pay_for_the_one_before(misbehaving, tmp_path):
    poison, victim = misbehaving("1 poison", "poison"), misbehaving("2 victim", "fine")
    with Decoder() as decoder:
        read_audio(poison, decoder=decoder)
        with pytest.raises(DecoderDied):
            read_audio(victim, decoder=decoder)
    data = sharks.prepare(tmp_path / "in", tmp_path / "out")  # tries again with a new child
    assert {track.name for track in data.tracks} == {"1 poison", "2 victim"}
