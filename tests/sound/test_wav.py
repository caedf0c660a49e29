"""Writing WAV files that are whole at every moment."""

import hashlib
import io
import os
import signal
import struct
import subprocess
import sys
import wave

import numpy as np
import pytest
import soundfile

from sharks.errors import AudioError, ResourceError, UsageError
from sharks.sound import wav as wavs
from sharks.sound.reading import Decoder, info, read_audio
from sharks.sound.wav import HEADER_BYTES, WavWriter, to_pcm, write_wav

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
    assert path.stat().st_size == HEADER_BYTES + 2 * channels * 8000


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


# Beyond 4 GiB


def chunks_of(path):
    """What a reader that follows EBU Tech 3306 sees: (form, [(name, size)], frames)."""
    with open(path, "rb") as file:
        form, riff, kind = struct.unpack("<4sI4s", file.read(12))
        assert kind == b"WAVE"
        found, position, long = [], 12, {}
        while position < path.stat().st_size:
            file.seek(position)
            name, size = struct.unpack("<4sI", file.read(8))
            if name == b"ds64":
                riff, long[b"data"], frames, table = struct.unpack("<QQQI", file.read(28))
                assert table == 0 and position == 12, "ds64 comes first, and lists no other chunk"
            size = long.get(name, size) if size == 2**32 - 1 else size
            found.append((name, size))
            position += 8 + size
        assert position == path.stat().st_size == 8 + riff
        return form, found, frames if long else None


@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_becomes_rf64_where_riff_ends(tmp_path, channels, monkeypatch):
    """With the end of RIFF moved to where a test can pass it, the file is read after every block, by everybody."""
    x, path = tune(0.02, channels=channels), tmp_path / "a.wav"
    frame = 2 * channels
    monkeypatch.setattr(wavs, "MOST_RIFF_BYTES", HEADER_BYTES - 8 + 200 * frame)
    with WavWriter(path, RATE, channels) as wav, Decoder() as decoder:
        for start in range(0, 320, 40):
            wav.write(x[:, start : start + 40])
            done = start + 40
            data = (b"data", done * frame)
            if done <= 200:
                assert chunks_of(path) == (b"RIFF", [(b"JUNK", 28), (b"fmt ", 16), data], None)
                assert frames_by_wave(path) == done
            else:
                assert chunks_of(path) == (b"RF64", [(b"ds64", 28), (b"fmt ", 16), data], done)
            got, rate = soundfile.read(path, dtype="float32", always_2d=True)
            assert rate == RATE and np.array_equal(got.T, (np.rint(x[:, :done] * 32768) / 32768).astype(np.float32))
            recording = decoder.open(path)
            assert np.array_equal(np.concatenate(list(recording), axis=1), got.T)
            assert not recording.cut
    assert soundfile.info(path).format == "RF64"


def test_four_gigabytes_are_passed(tmp_path):
    """The real limit, in a file with a hole: only the blocks at both ends are ever written."""
    path, most = tmp_path / "a.wav", (2**32 - 1 - (HEADER_BYTES - 8)) // 2
    with WavWriter(path, RATE) as wav:
        wav.write(np.full(1000, 0.25, np.float32))
        wav.frames = most - 300  # as if they had been written
        wav.write(np.full(300, 0.5, np.float32))
        assert path.stat().st_size == 2**32 + 6, "the length field of RIFF holds its largest even number"
        assert frames_by_wave(path) == soundfile.info(path).frames == most
        wav.write(np.full(1, 0.75, np.float32))
        assert chunks_of(path) == (b"RF64", [(b"ds64", 28), (b"fmt ", 16), (b"data", 2 * most + 2)], most + 1)
        wav.write(np.full(5, -0.5, np.float32))
    if path.stat().st_blocks * 512 > 1 << 26:
        pytest.fail("the file system has filled the hole")
    assert info(path).frames == soundfile.info(path).frames == most + 6
    with soundfile.SoundFile(path) as file:
        assert set(file.read(1000)) == {0.25} and set(file.read(1000)) == {0.0}
        file.seek(most - 2)
        assert file.read().tolist() == [0.5, 0.5, 0.75, -0.5, -0.5, -0.5, -0.5, -0.5]


# A kill between any two writes, and within one


class Filmed(io.FileIO):
    """A file that is shown to `look` after every change of it, and in the middle of every write that is long."""

    def __init__(self, path, mode, look):
        super().__init__(path, mode)
        self.look = look

    def write(self, data):
        halves = [data[: len(data) // 2], data[len(data) // 2 :]] if len(data) > HEADER_BYTES else [data]
        for half in halves:
            assert super().write(half) == len(half)
            self.look()
        return len(data)

    def truncate(self, size=None):
        super().truncate(size)
        self.look()


@pytest.mark.parametrize("end_of_riff", [2**32 - 1, HEADER_BYTES - 8 + 2 * 230])
def test_between_any_two_writes_the_file_is_whole(tmp_path, end_of_riff, monkeypatch):
    """While it grows, while it goes on from an earlier place, and on both sides of the end of RIFF."""
    monkeypatch.setattr(wavs, "MOST_RIFF_BYTES", end_of_riff)
    pcm = np.random.default_rng(0).integers(-32768, 32768, 480).astype(np.int16)
    path, seen, forms = tmp_path / "a.wav", [], set()

    def look():
        if path.stat().st_size < HEADER_BYTES:
            return  # `_begin_wav` gives a file its name later
        got, rate = soundfile.read(path, dtype="int16")
        assert rate == RATE and np.array_equal(got, pcm[: len(got)])
        forms.add(soundfile.info(path).format)
        if soundfile.info(path).format == "WAV":
            assert frames_by_wave(path) == len(got)
        seen.append(len(got))

    def play(file, keep, until):
        with WavWriter(file, RATE, keep=keep) as wav:
            for start in range(keep, until, 80):
                wav.write(pcm[start : start + 80] / np.float32(32768))

    play(Filmed(path, "wb+", look), 0, 400)
    for keep, until in ((160, 400), (320, 480), (80, 240)):
        play(Filmed(path, "rb+", look), keep, until)
    assert set(seen) == set(range(0, 481, 80))
    assert len(seen) > 40 and forms == ({"WAV"} if end_of_riff > 2**31 else {"WAV", "RF64"})


# Going on with a file


@pytest.mark.parametrize("limit", [2**32 - 1, 1000])
@pytest.mark.parametrize("keep", [1, 499, 500])
def test_a_wav_goes_on_where_it_was(tmp_path, keep, limit, monkeypatch):
    monkeypatch.setattr(wavs, "MOST_RIFF_BYTES", limit)
    x = tune(0.05)[0]
    write_wav(tmp_path / "whole.wav", x, RATE)
    with WavWriter(tmp_path / "a.wav", RATE) as wav:
        wav.write(x[:500])
        once = wav.digest
    with WavWriter(tmp_path / "a.wav", RATE, keep=keep) as wav:
        assert (wav.digest == once) == (keep == 500)
        assert wav.frames == keep == soundfile.info(tmp_path / "a.wav").frames
        assert (tmp_path / "a.wav").stat().st_size == HEADER_BYTES + 2 * keep
        wav.write(x[keep:])
        assert wav.digest == hashlib.sha256(np.rint(x * 32768).astype("<i2").tobytes()).hexdigest()
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_what_is_not_there_cannot_be_kept(tmp_path):
    write_wav(tmp_path / "a.wav", tune(0.1), RATE)
    before = (tmp_path / "a.wav").read_bytes()
    with pytest.raises(AudioError, match="fewer than 1601 frames"):
        WavWriter(tmp_path / "a.wav", RATE, keep=1601)
    assert (tmp_path / "a.wav").read_bytes() == before
    with pytest.raises(ResourceError, match="b.wav"):
        WavWriter(tmp_path / "b.wav", RATE, keep=1)
    assert os.listdir(tmp_path) == ["a.wav"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence():
    with pytest.raises(ResourceError, match="No space left"):
        WavWriter("/dev/full", RATE)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_while_writing(tmp_path):
    path = tmp_path / "a.wav"
    code = "import sys, numpy as np\nfrom sharks.sound.wav import WavWriter\nw = WavWriter(sys.argv[1], 16000)\n"
    code += "while True:\n    w.write(np.full(777, 0.25, np.float32)); print(w.frames, flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    for _ in range(50):
        seen = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with wave.open(str(path)) as file:
        assert file.getnframes() >= seen
        assert set(np.frombuffer(file.readframes(file.getnframes()), "<i2")) == {8192}
