"""Playing for long: ended at any moment the files are whole, begun again they become what they would have been.

A few moments of each kind; `make soak` tries fifty, and plays for ten hours.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import sharks
from command import ENVIRONMENT, PATIENCE, digests, sharks_command, unplayable
from sharks.sound.wav import write_wav
from torment import AT_ONCE, KINDS, LAYOUTS, SPEC, posix, torment


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return sharks.random_pack(SPEC, seed=3).save(tmp_path_factory.mktemp("packs") / "small.safetensors")


@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_moment_will_do(kind: str, layout: str, pack: pathlib.Path, tmp_path: pathlib.Path) -> None:
    found = torment(pack, LAYOUTS[layout], KINDS[kind], 3, tmp_path)
    assert max(moment.took for moment in found) < AT_ONCE


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
