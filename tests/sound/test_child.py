"""The decoding child: nobody else speaks in its channel, and nothing it does makes its parent wait for ever."""

import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
import soundfile as sf

import damaged_audio
import odd_audio
from sharks.errors import AudioError, ResourceError
from sharks.sound import child as children
from sharks.sound import records
from sharks.sound.child import Child, ChildDied
from sharks.sound.reading import Decoder, DecoderDied, read_audio
from sharks.sound.wav import write_wav

RATE = 16000


@pytest.fixture
def song(tmp_path):
    write_wav(tmp_path / "a.wav", np.sin(np.arange(8 * RATE) / 20).astype(np.float32) / 2, RATE)
    return tmp_path / "a.wav"


def site(tmp_path, monkeypatch, code, name="sitecustomize"):
    """Puts a module in front of the child's path."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.mark.parametrize(
    "code",
    [
        "print('Welcome to the cluster')",
        "import sys; sys.stdout.write('x' * 100_000); sys.stdout.flush()",
        "import os; os.write(1, b'Welcome'); os.write(2, b'to the cluster')",
        "import atexit; atexit.register(print, 'Goodbye')",
        "import sys; sys.stdin.read()",
    ],
)
def test_what_others_print_when_python_starts_is_not_heard(song, tmp_path, monkeypatch, code):
    site(tmp_path, monkeypatch, code)
    assert read_audio(song)[0].shape == (1, 8 * RATE)


@pytest.mark.parametrize("variable", ["PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONINSPECT"])
def test_variables_of_python_change_nothing(song, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with Decoder() as decoder:
        assert [read_audio(song, decoder=decoder)[0].shape for _ in range(3)] == [(1, 8 * RATE)] * 3


def test_a_library_that_prints_is_not_heard(tmp_path):
    """libsndfile prints about a damaged sample dump."""
    whole = odd_audio.encode(0.3 * np.sin(np.arange(32000) * 0.05).astype("f4"), "SDS", "PCM_16")
    (tmp_path / "shifted.wav").write_bytes(whole[:5000] + b"\0" + whole[5000:])
    start = time.monotonic()
    try:
        read_audio(tmp_path / "shifted.wav")
    except AudioError as error:
        assert "shifted.wav" in str(error)
    assert time.monotonic() - start < 10


def test_modules_beside_the_music_are_not_run(song, tmp_path, monkeypatch):
    for name in ("soundfile", "numpy", "socket", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as for `python -m sharks` there
    assert read_audio("a.wav")[0].shape == (1, 8 * RATE)
    assert not (tmp_path / "run").exists()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the trap is one: where it is wanted, it is run
    with pytest.raises(ResourceError, match="does not start"):
        read_audio(song)
    assert (tmp_path / "run").exists()


def test_a_resource_fork_in_the_current_folder_is_not_taken_for_every_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd_audio.encode(np.zeros(9), "SD2", "PCM_16")  # leaves it behind
    assert (tmp_path / "._").exists()
    (tmp_path / "a.mp3").write_bytes(odd_audio.encode(np.sin(np.arange(RATE) / 9), "MP3"))
    assert read_audio("a.mp3")[0].shape == (1, RATE)


def test_a_child_that_pauses_loses_nothing(song, monkeypatch):
    """Stops and continues it all the time, as Ctrl-Z or docker pause do, also in the middle of a write."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    want = read_audio(song)[0]
    with Decoder() as decoder:
        decoder.open(song)
        stopped, done = [], threading.Event()

        def pause():
            while not done.wait(0.002):
                if decoder._child is not None:
                    os.kill(decoder._child.pid, signal.SIGSTOP)
                    stopped.append(time.sleep(0.002))
                    os.kill(decoder._child.pid, signal.SIGCONT)

        decoder.close()
        assert np.array_equal(read_audio(song, decoder=decoder)[0], want)
        thread = threading.Thread(target=pause)
        thread.start()
        try:
            for _ in range(20):
                assert np.array_equal(read_audio(song, decoder=decoder)[0], want)
        finally:
            done.set()
            thread.join()
        assert len(stopped) > 3


def test_time_in_which_it_is_stopped_does_not_count(song, monkeypatch):
    monkeypatch.setattr(children, "PATIENCE", 0.3)
    with Decoder() as decoder:
        read_audio(song, decoder=decoder)
        pid = decoder._child.pid
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(1.5, os.kill, (pid, signal.SIGCONT))
        timer.start()
        assert read_audio(song, decoder=decoder)[0].shape == (1, 8 * RATE)
        assert decoder._child.pid == pid


def test_a_child_that_sleeps_is_ended(song, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "PATIENCE", 0.3)
    code = "import time\nclass LibsndfileError(Exception):\n    code = 1\n"
    site(
        tmp_path,
        monkeypatch,
        code + "class SoundFile:\n    def __init__(self, raw):\n        time.sleep(60)",
        "soundfile",
    )
    start = time.monotonic()
    with pytest.raises(DecoderDied, match=r"a\.wav: its decoder crashed or took over"), Decoder() as decoder:
        decoder.open(song)
    assert time.monotonic() - start < 10


def test_a_child_that_computes_for_ever_is_ended_by_the_system(song, tmp_path, monkeypatch):
    code = "class LibsndfileError(Exception):\n    code = 1\n"
    loop = "class SoundFile:\n    def __init__(self, raw):\n        while True: pass"
    site(tmp_path, monkeypatch, code + loop, "soundfile")
    with pytest.raises(DecoderDied), Decoder() as decoder:
        decoder.open(song)


def test_a_child_that_cannot_start_is_no_fault_of_the_file(song, tmp_path, monkeypatch):
    site(tmp_path, monkeypatch, "raise ImportError('no libsndfile')", "soundfile")
    with pytest.raises(ResourceError, match="does not start"):
        read_audio(song)


NONSENSE = {
    "no magic": b"Error A : 6E\n" * 4,
    "unknown kind": records.HEAD.pack(records.MAGIC, b"Erro", 4) + b"r A ",
    "too long": records.HEAD.pack(records.MAGIC, records.DATA, 1 << 30),
    "too long for its kind": records.HEAD.pack(records.MAGIC, records.WAIT, 1) + b"x",
    "no info first": records.HEAD.pack(records.MAGIC, records.DATA, 4) + bytes(4),
    "ends in a head": records.HEAD.pack(records.MAGIC, records.INFO, 4)[:7],
    "ends in a payload": records.HEAD.pack(records.MAGIC, records.INFO, 400) + b"{",
    "says nothing": b"",
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_record_ends_the_child(song, monkeypatch, said):
    with Decoder() as decoder:
        read_audio(song, decoder=decoder)
        ours, theirs = socket.socketpair()
        ours.settimeout(0.1)
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        decoder._child._channel.close()
        decoder._child._channel = ours
        with pytest.raises(DecoderDied):
            decoder.open(song)
        theirs.close()
        assert read_audio(song, decoder=decoder)[0].shape == (1, 8 * RATE)


def test_a_record_is_sent_whole_through_a_narrow_pipe():
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    payload = os.urandom(1 << 20)
    thread = threading.Thread(target=records.send, args=(ours, records.DATA, payload))
    thread.start()
    with theirs.makefile("rb") as heard:
        assert records.parse(heard.read(records.HEAD.size)) == (records.DATA, len(payload))
        assert heard.read(len(payload)) == payload
    thread.join()
    ours.close(), theirs.close()


def test_a_child_goes_when_its_parent_has_gone():
    child = Child()
    child._channel.close()
    child._process.wait(10)
    with pytest.raises(ChildDied):
        child.answer()


# --- every format that libsndfile writes


def test_every_format_is_read_or_named_when_it_is_damaged(tmp_path):
    count, read = damaged_audio.hear(tmp_path, 2)
    assert count > 600 and read > count / 4


def test_every_format_is_read_as_libsndfile_reads_it(tmp_path):
    """Also what becomes of its own files that it does not read back: a sentence."""
    read = 0
    with Decoder() as decoder:
        for form, subtype in damaged_audio.pairs():
            if not (data := damaged_audio.whole(form, subtype)):
                continue
            (tmp_path / "a").write_bytes(data)
            try:
                want = odd_audio.decoded(data)[:, 0]
            except sf.LibsndfileError:
                with pytest.raises(AudioError, match="a: "):
                    decoder.open(tmp_path / "a")
                continue
            recording = decoder.open(tmp_path / "a")
            assert np.array_equal(np.concatenate(list(recording), axis=1)[0], want), (form, subtype)
            assert not recording.notes and not recording.cut, (form, subtype)
            read += 1
    assert read > 100
