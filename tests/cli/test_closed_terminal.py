"""A terminal that is closed, or a connection that drops, in the middle of each verb that takes long."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import typing

import pytest

import sharks
from command import COMMAND, ENVIRONMENT, PATIENCE, digests, sharks_command, unplayable
from made_songs import music
from sharks.sound.wav import write_wav
from sharks.training.run import rundir
from small_runs import RATE, SMALL
from torment import SPEC

termios = pytest.importorskip("termios", reason="this system has no pseudo terminals")
fcntl = pytest.importorskip("fcntl", reason="this system has no pseudo terminals")


class OnTerminal:
    """A command that leads the session of a terminal of its own, as a shell does: it is told when that is closed."""

    def __init__(self, *words: object, ignoring: bool = False) -> None:
        self._master, terminal = os.openpty()

        def before() -> None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignoring else signal.SIG_DFL)

        streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
        command = list(map(str, [*COMMAND, *words]))
        self.process = subprocess.Popen(
            command, env=ENVIRONMENT, start_new_session=True, preexec_fn=before, close_fds=True, **streams
        )
        os.close(terminal)
        self.seen = b""

    def read_until(self, wanted: typing.Callable[[bytes], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not wanted(self.seen):
            assert time.monotonic() < deadline and self.process.poll() is None, self.seen.decode()
            with contextlib.suppress(OSError):
                self.seen += os.read(self._master, 4096)

    def close(self) -> int:
        """Close the terminal; the command's exit code."""
        os.close(self._master)
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A pack, a dataset, music that takes a while to prepare and clips that take a while to curate."""
    folder = tmp_path_factory.mktemp("made")
    sharks.random_pack(SPEC, seed=3).save(folder / "small.safetensors")
    (folder / "few").mkdir()
    (folder / "many").mkdir()
    for number in range(2):
        write_wav(folder / "few" / f"{number}.wav", music(3, seed=number), 16000)
    for number in range(40):
        write_wav(folder / "many" / f"{number}.wav", music(20, seed=number), 16000)
    sharks.prepare(folder / "few", folder / "data", sample_rate=RATE)
    return folder


def words_of(verb: str, made: pathlib.Path, out: pathlib.Path) -> list[object]:
    if verb == "generate":
        return [verb, made / "small.safetensors", "-o", out, "--seed", "7", "--length", "15m", "--threads", "1"]
    return [verb, made / "many", "-o", out, *(["--minutes", "0.1-1"] if verb == "curate" else [])]


@pytest.mark.parametrize("verb", ["prepare", "generate", "curate"])
def test_what_is_left_is_whole_and_the_same_command_goes_on(
    verb: str, made: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    command = OnTerminal(*words_of(verb, made, cut))
    command.read_until(lambda seen: seen.count(b"\r") >= 3)  # a progress that moves
    assert command.close() == 130, command.seen.decode()
    assert unplayable(tmp_path) == []
    for out in (cut, whole):
        done = sharks_command(*words_of(verb, made, out))
        assert done.returncode == 0, done.stderr
    assert digests(cut) == digests(whole)


def training(made: pathlib.Path, out: pathlib.Path, steps: int) -> list[object]:
    small = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    seldom = ["--set", "train.checkpoint_every=100000"]
    asked = ["-p", "dadabots-2tier-tiny", "--steps", steps, "--device", "cpu"]
    return ["train", made / "data", "-o", out, *asked, *small, *seldom]


def steps_of(run: pathlib.Path) -> list[int]:
    return [row["step"] for row in rundir.rows(run) if "nll" in row] if (run / "log.jsonl").exists() else []


def test_training_saves_before_it_leaves(made: pathlib.Path, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    from sharks.training.run import checkpoint

    run = tmp_path / "run"
    command = OnTerminal(*training(made, run, 100000))
    command.read_until(lambda seen: b"loss" in seen)
    assert command.close() == 130, command.seen.decode()
    (saved,) = checkpoint.steps(run / "checkpoints")
    assert saved == max(steps_of(run)), "the newest step is in it"
    assert sharks.load(run).about["step"] == saved
    done = sharks_command(*training(made, run, saved + 5))
    assert done.returncode == 0 and f"goes on after step {saved:,}" in done.stderr


def test_a_training_that_was_told_to_stay_stays(made: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """As under `nohup`, and after `disown`: nobody is there to read, and it comes to its end."""
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    run = tmp_path / "run"
    command = OnTerminal(*training(made, run, 60), ignoring=True)
    command.read_until(lambda seen: b"\n" in seen)  # the plan
    assert command.close() == 0
    assert max(steps_of(run)) == 60
