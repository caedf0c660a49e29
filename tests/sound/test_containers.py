"""M4A and its kin: known by their first bytes, read through ffmpeg, or named with the cure."""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

import sharks
from sharks.errors import AudioError
from sharks.sound import containers
from sharks.sound.reading import Decoder, read_audio

M4A = b"\0\0\0 ftypM4A \0\0\0\0M4A mp42isom" + bytes(5000)
FIRST_BYTES = {
    "M4A": M4A,
    "MP4": b"\0\0\0 ftypisom\0\0\2\0",
    "MOV": b"\0\0\0\x14ftypqt  ",
    "3GP": b"\0\0\0\x14ftyp3gp4",
    "WebM": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm",
    "Matroska": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska",
    "AC3": b"\x0bw\x12\x34\x14\x40",
    "E-AC3": b"\x0bw\x12\x34\x14\x80",
    "WMA": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
    "AAC": b"\xff\xf1\x50\x80\x02\x1f\xfc",
    "AVI": b"RIFF\xff\xff\xff\xffAVI LIST",
    "AMR": b"#!AMR\n",
    "WavPack": b"wvpk\0\0\0\0",
    "Monkey's Audio": b"MAC \x96\x0f",
    "Musepack": b"MPCKSH",
    "DSF": b"DSD \x1c",
    "RealAudio": b".RMF\0\0",
    "FLV": b"FLV\x01\5",
}

# What a real one prints and writes: the facts to stderr, an AU of big-endian floats to stdout.
STAND_IN = f"""#!{sys.executable}
import struct, sys, time
print("  Duration: 00:00:02.00, start: 0.0", file=sys.stderr)
print("  Stream #0:0: Audio: aac (LC) (mp4a / 0x6134706D), 8000 Hz, stereo", file=sys.stderr, flush=True)
def head(rate=8000, channels=2, magic=b".snd"):
    sys.stdout.buffer.write(struct.pack(">4sIIIII", magic, 28, 0xffffffff, 6, rate, channels) + b"note")
def sound(frames, value=0.25):
    sys.stdout.buffer.write(struct.pack(">ff", value, -value) * frames)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """Puts a program of that name on the path, and nothing else."""

    def install(code):
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin" / "ffmpeg"
        program.write_text(STAND_IN + code)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    return install


@pytest.fixture
def song(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.m4a").write_bytes(M4A)
    return tmp_path / "in" / "a.m4a"


@pytest.mark.parametrize("name", FIRST_BYTES)
def test_a_container_is_known_by_its_first_bytes_and_named_with_the_cure(tmp_path, monkeypatch, name):
    assert containers.recognise(FIRST_BYTES[name]).name == name
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.wav").write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x02xx" + FIRST_BYTES[name].ljust(3000, b"\0"))
    with pytest.raises(AudioError, match=rf"{name}, which needs ffmpeg; install it, or convert .*: ffmpeg -i X\.\w+ X"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(
    "first", [b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"\xff\xfb\x90\x00", b"this is not music", b""]
)
def test_other_files_are_no_such_containers(first):
    assert containers.recognise(first.ljust(200, b"\0") if first else b"") is None


def test_read_through_ffmpeg(song, ffmpeg):
    ffmpeg("head(); sound(16000)")
    with Decoder() as decoder:
        recording = decoder.open(song)
        samples = np.concatenate(list(recording), axis=1)
        assert recording.info == sharks.sound.reading.Info(8000, 2, 16000, "M4A aac") and not recording.cut
        assert np.array_equal(samples, np.repeat([[0.25], [-0.25]], 16000, axis=1).astype(np.float32))
        assert read_audio(song, 16000, mono=False, decoder=decoder)[0].shape == (2, 32000)


def test_what_it_is_told(song, ffmpeg, tmp_path):
    ffmpeg(f"open({str(tmp_path / 'told')!r}, 'w').write('\\0'.join(sys.argv)); head(); sound(99)")
    read_audio(song)
    told = (tmp_path / "told").read_text().split("\0")[1:]
    assert "-nostdin" in told and told[told.index("-i") + 1] == f"file:{song}"
    assert told[told.index("-protocol_whitelist") + 1] == "file,pipe" and told[told.index("-f") + 1] == "mov"


@pytest.mark.parametrize(
    "code,sentence",
    [
        ("sys.exit(1)", "M4A, and ffmpeg finds no sound in it"),
        ("print('moov atom not found')", "finds no sound"),
        ("head(magic=b'RIFF'); sound(9)", "finds no sound"),
        ("sys.stdout.buffer.write(b'.snd')", "finds no sound"),
        ("head(channels=65)", "it has 65 channels; wanted 1 to 64"),
        ("head(channels=0)", "it has 0 channels"),
        ("head(rate=7); sound(9)", "its sample rate is 7 Hz"),
        ("head()", "holds no samples"),
        ("head(); sound(99, float('nan'))", "NaN or infinite"),
        ("head(); sound(99, 1e6)", "peak is .*corrupt"),
        ("import os; os.kill(os.getpid(), 11)", "finds no sound"),
        ("bytearray(1 << 29)", "finds no sound"),
    ],
)
def test_an_ffmpeg_that_fails_is_one_sentence(song, ffmpeg, code, sentence):
    ffmpeg(code)
    with pytest.raises(AudioError, match=rf"a\.m4a: .*{sentence}") as caught:
        read_audio(song)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "code", ["head(); sound(8000); sys.exit(69)", "head(); sound(8000); print('Error', file=sys.stderr)"]
)
def test_sound_that_breaks_off_is_used_and_noted(song, ffmpeg, tmp_path, code):
    ffmpeg(code.replace("0.25", "0.3"))
    with Decoder() as decoder:
        recording = decoder.open(song)
        assert sum(block.shape[1] for block in recording) == 8000 and recording.cut


@pytest.mark.parametrize("code", ["time.sleep(60)", "head(); sound(9); time.sleep(60)"])
def test_an_ffmpeg_that_hangs_is_ended(song, ffmpeg, tmp_path, monkeypatch, code):
    (tmp_path / "site").mkdir()
    patience = "import sharks.sound.containers as c; c.PATIENCE = 1.0"
    (tmp_path / "site" / "sitecustomize.py").write_text(patience)
    monkeypatch.syspath_prepend(tmp_path / "site")
    ffmpeg(f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); {code}")
    start = time.monotonic()
    with pytest.raises(AudioError, match=r"a\.m4a: .*ffmpeg said nothing for 1 s"):
        read_audio(song)
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_an_ffmpeg_that_is_left_in_the_middle_is_ended(song, ffmpeg, tmp_path):
    ffmpeg(f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); head()\nwhile True: sound(9999)")
    assert read_audio(song, seconds=1)[0].shape == (2, 8000)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = pathlib.Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("it is still there")


def test_a_program_beside_the_music_is_not_run(song, ffmpeg, monkeypatch, tmp_path):
    ffmpeg(f"open({str(tmp_path / 'run')!r}, 'w')")
    monkeypatch.chdir(tmp_path / "bin")
    for path in (".", "", os.pathsep):
        monkeypatch.setenv("PATH", path)
        with pytest.raises(AudioError, match="needs ffmpeg"):
            read_audio(song)
    assert not (tmp_path / "run").exists()


def test_prepare_takes_them(song, ffmpeg, tmp_path):
    ffmpeg(
        "import math\nhead()\nfor i in range(16000):\n"
        "    sys.stdout.buffer.write(struct.pack('>ff', *[math.sin(i)] * 2))"
    )
    data = sharks.prepare(song.parent, tmp_path / "data", sample_rate=8000)
    assert {track.format for track in data.tracks} == {"M4A aac"} and len(data.train) + len(data.val) == 16000


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.ac3", "a.mka", "a.wma", "a.mp4", "a.aac", "a.mov"])
def test_the_real_one(tmp_path, name):
    from sharks.sound.wav import write_wav

    x = (0.4 * np.sin(np.arange(2 * 44100) * 2 * np.pi * 440 / 44100)).astype(np.float32)
    write_wav(tmp_path / "a.wav", np.stack([x, x]), 44100)
    make = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-b:a", "192k", tmp_path / name]
    subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    with Decoder() as decoder:
        recording = decoder.open(tmp_path / name)
        samples = np.concatenate(list(recording), axis=1)
    assert samples.shape[0] == 2 and samples.shape[1] / recording.rate == pytest.approx(2, abs=0.1)
    assert recording.info.seconds == pytest.approx(2, abs=0.2) and not recording.cut
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.1)
