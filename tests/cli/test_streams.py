"""A stream that is closed, and one that lacks the letters: the work is done and the exit code is right."""

import subprocess

import numpy as np
import pytest

import sharks
from command import COMMAND, ENVIRONMENT
from sharks.sound.wav import write_wav
from sharks.spec import SampleRNNSpec

NAME = "海 söng"


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / f"{NAME}.safetensors"
    return sharks.random_pack(SampleRNNSpec(frame_sizes=(4,), dim=4, embed_dim=2)).save(path)


def through_a_shell(words, closing, cwd, **variables):
    """Run the command with streams closed by a shell's redirections; what is left open is captured."""
    script = f'exec "$@" {closing}'
    command = ["sh", "-c", script, "sh", *COMMAND, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT | variables, capture_output=True, timeout=240)


@pytest.mark.parametrize("closing", ["2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_stops_nothing(closing, pack, tmp_path):
    done = through_a_shell(["generate", pack, "-n", 2, "--length", "0.1s", "-o", "out"], closing, tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0000.wav", "0001.wav", "manifest.jsonl"}
    assert (b"0001.wav" in done.stdout) == (" >&-" not in f" {closing}")


@pytest.mark.parametrize("closing", ["2>&-", ">&-", ">&- 2>&-"])
def test_a_mistake_has_its_exit_code_though_nobody_hears_of_it(closing, tmp_path):
    assert through_a_shell(["generate", "nothing"], closing, tmp_path).returncode == 3
    assert through_a_shell(["sing"], closing, tmp_path).returncode == 2


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
def test_letters_that_a_terminal_lacks_are_escaped(encoding, pack, tmp_path):
    noise = 0.3 * np.random.default_rng(0).standard_normal(32000).clip(-1, 1)
    (tmp_path / "songs").mkdir()
    write_wav(tmp_path / "songs" / f"{NAME}.wav", noise.astype(np.float32), 16000)
    shown = NAME.encode(encoding, "backslashreplace")
    for words in (["prepare", "songs", "-o", "data"], ["generate", pack, "--length", "0.1s", "-o", NAME]):
        done = through_a_shell(words, "", tmp_path, PYTHONIOENCODING=encoding)
        assert done.returncode == 0 and b"fault" not in done.stderr, done.stderr
        assert shown in done.stdout
