"""Playing for long: ended at any moment the files are whole, begun again they become what they would have been.

A few moments of each kind; `make soak` tries fifty, and plays for ten hours.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing

import numpy as np
import pytest

import sharks
from command import BOOKISH, COMMAND, ENVIRONMENT, PATIENCE, digests, ended_after, sharks_command, unplayable
from sharks.wav import write_wav

SPEC = sharks.SampleRNNSpec(sample_rate=8000, q_levels=32, frame_sizes=(4,), dim=16, embed_dim=8)
KINDS = {"SIGINT": signal.SIGINT, "kill -9": signal.SIGKILL}
LAYOUTS = {
    "many clips": ["-n", "270", "--length", "0.4s"],
    "one long clip": ["--length", "60s"],
}  # about a million steps
AT_ONCE = 5.0  # seconds for the answer to SIGINT

posix = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc to see when a command has begun")


class Moment(typing.NamedTuple):
    seconds: float
    code: int
    took: float  # from the signal to the end


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return sharks.random_pack(SPEC, seed=3).save(tmp_path_factory.mktemp("packs") / "small.safetensors")


def torment(
    pack: pathlib.Path, words: list[str], kind: signal.Signals, count: int, folder: pathlib.Path
) -> list[Moment]:
    """Play the same clips into a folder again and again, interrupted at moments from the first to the last.

    Whenever they are finished, and in the end, they are compared with those of a command that was left alone. Every
    other time the command sets bookmarks all the time.
    """
    command, cut = ["generate", pack, "--seed", "7", "--threads", "1", *words], folder / "cut"

    def finish(out: pathlib.Path) -> dict[str, str]:
        done = subprocess.run(
            [*COMMAND, *map(str, command), "-o", out], env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return digests(out)

    began = time.monotonic()
    wanted = finish(folder / "whole")
    took, dice = time.monotonic() - began, np.random.default_rng(count)
    found = []
    for number in range(count):
        seconds = took * (number + dice.random()) / count
        ended = ended_after(seconds, kind, [*(BOOKISH if number % 2 else COMMAND), *command, "-o", cut])
        found.append(Moment(seconds, ended.code, ended.took))
        assert ended.code in (0, 130 if kind == signal.SIGINT else -kind), ended
        assert "Traceback" not in ended.errors, ended
        assert unplayable(cut) == [], ended
        if ended.code == 0:
            assert digests(cut) == wanted
            shutil.rmtree(cut)
    assert finish(cut) == wanted
    return found


@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_moment_will_do(kind: str, layout: str, pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    found = torment(pack, LAYOUTS[layout], KINDS[kind], 3, tmp_path)
    assert max(moment.took for moment in found) < AT_ONCE
    assert any(moment.code for moment in found), "none was in time"


SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
from sharks.cli import main
main(sys.argv[1:])
"""


@posix
def test_a_disk_that_fills(pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Which a limit on how long a file may be stands for: the system refuses to write in the middle of a block."""
    words = ["generate", pack, "--seed", "7", "--threads", "1", "-n", "3", "--length", "20s"]
    out = tmp_path / "out"
    full = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, *map(str, words), "-o", out], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert full.returncode == 4, full.stderr
    assert "writing stopped after" in full.stderr.splitlines()[-1]
    assert unplayable(out) == []
    assert max(path.stat().st_size for path in out.glob("*.wav")) == 200_000, "a part of the block was written"
    for folder in (out, tmp_path / "whole"):
        assert sharks_command(*words, "-o", folder).returncode == 0
    assert digests(out) == digests(tmp_path / "whole")


def test_the_judge_of_files_sees_what_cannot_be_played(tmp_path: pathlib.Path) -> None:
    write_wav(tmp_path / "good.wav", np.zeros(100, np.float32), 8000)
    whole = (tmp_path / "good.wav").read_bytes()
    assert unplayable(tmp_path) == []
    (tmp_path / "none.wav").write_bytes(b"")
    (tmp_path / "header.wav").write_bytes(whole[:40])
    (tmp_path / "short.wav").write_bytes(whole[:-50])
    assert [line.split(":")[0] for line in unplayable(tmp_path)] == ["header.wav", "none.wav", "short.wav"]


STREAMING = """
import pathlib, sys, sharks
def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
blocks = sharks.stream(sharks.load(sys.argv[1]), 3, block=0.05, seed=1, device="cpu", threads=1)
for _ in range(50):
    next(blocks)
before = resident()
for _ in range(1000):
    next(blocks)
print(resident() - before)
"""


@posix
@pytest.mark.skipif("cpu" not in __import__("players").PLAYERS, reason="the compiled engine has not been built")
def test_a_stream_does_not_grow(pack: pathlib.Path) -> None:
    """Not even by the 150 s of audio that it has played; the engine's own memory counts too."""
    done = subprocess.run(
        [sys.executable, "-c", STREAMING, str(pack)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert int(done.stdout) < 1 << 20
