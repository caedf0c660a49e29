"""One process at a time has a folder of clips, or several that have shared the work out."""

from __future__ import annotations

import contextlib
import errno
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import sharks
from command import ENVIRONMENT, digests
from players import PLAYERS
from sharks.clips.locks import locked, path_of

fcntl = pytest.importorskip("fcntl", reason="this system has no flock")

SPEC = sharks.SampleRNNSpec(sample_rate=1000, q_levels=32, frame_sizes=(4,), dim=16, embed_dim=8)
DEVICE = [*PLAYERS][-1]

HOLDING = """
import pathlib, sys
from sharks.clips.locks import locked
with locked(pathlib.Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def elsewhere(folder: pathlib.Path, *rank: int) -> Iterator[subprocess.Popen]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLDING, str(folder), *map(str, rank)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        yield other
        other.communicate()


def free(folder: pathlib.Path, rank: int | None = None) -> bool:
    try:
        with locked(folder, rank):
            return True
    except sharks.ResourceError as error:
        assert "\n" not in str(error) and "another process" in str(error)
        return False


def play(out: pathlib.Path, seconds: float = 0.1, **more: object) -> sharks.Audio:
    return sharks.generate(sharks.random_pack(SPEC), seconds, out=out, **({"seed": 5, "device": DEVICE} | more))


def test_who_may_play_beside_whom(tmp_path: pathlib.Path) -> None:
    with elsewhere(tmp_path):
        assert not free(tmp_path)
        assert not free(tmp_path, 0)
    with elsewhere(tmp_path, 0):
        assert not free(tmp_path)
        assert not free(tmp_path, 0)
        assert free(tmp_path, 1)
        with elsewhere(tmp_path, 1):
            assert not free(tmp_path, 1)
    assert free(tmp_path) and free(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rank", [(), (0,)], ids=["alone", "shared"])
def test_who_is_killed_holds_nothing(rank: tuple[int, ...], tmp_path: pathlib.Path) -> None:
    with elsewhere(tmp_path, *rank) as other:
        other.kill()
    assert path_of(tmp_path, 0).exists() == bool(rank)
    assert free(tmp_path, 0) and free(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_threads_are_told_apart_too(tmp_path: pathlib.Path) -> None:
    found: list[bool] = []
    with locked(tmp_path):
        thread = threading.Thread(target=lambda: found.append(free(tmp_path)))
        thread.start()
        thread.join()
        assert not free(tmp_path), "and it is not lost by asking"
    assert found == [False]


def test_whoever_is_just_leaving_takes_the_file_along(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second opened the file of the first, which is gone when it gets the lock: a third would make another one."""
    flock = fcntl.flock

    def late(handle: int, how: int) -> None:
        path_of(tmp_path, 0).unlink(missing_ok=True)
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    assert not free(tmp_path, 0)


def test_a_file_system_without_locks_holds_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert free(tmp_path) and free(tmp_path, 0)


def test_all_that_write_clips_hold_the_folder(tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    clip = play(out).files[0]
    kept = sharks.generate(sharks.random_pack(SPEC), 0.1, seed=5, device=DEVICE)
    before = digests(out)
    writers = {
        "generate": lambda: play(out, 0.2),
        "a share": lambda: play(out, 0.2, n=2, share=(0, 2)),
        "save": lambda: kept.save(out),
        "extend": lambda: sharks.extend(clip, 0.2, pack=sharks.random_pack(SPEC), device=DEVICE),
    }
    with elsewhere(out):
        for writer in writers.values():
            with pytest.raises(sharks.ResourceError, match="another process plays into it"):
                writer()
    assert digests(out) == before
    for name in ("extend", "generate", "a share", "save"):
        writers[name]()
        assert free(out), name


def test_a_refusal_lets_go(tmp_path: pathlib.Path) -> None:
    play(tmp_path)
    with pytest.raises(sharks.UsageError, match="is another clip"):
        play(tmp_path, seed=6)
    assert free(tmp_path)
