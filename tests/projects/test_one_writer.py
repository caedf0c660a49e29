"""Every verb that writes a folder is refused while another process does, and nothing there changes."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

import sharks
from command import COMMAND, ENVIRONMENT, sharks_command
from made_songs import dataset, music
from sharks.files.locks import held
from sharks.projects.demo import demo
from sharks.projects.make import Playing, make, play
from sharks.projects.sweep import Experiment, sweep
from sharks.sound.wav import write_wav
from small_runs import RATE, SMALL

pytest.importorskip("fcntl", reason="this system has no flock")

PREPARING = """
import sys, sharks
def wait(done, total, name):
    if done == 1:
        print("decoding", flush=True)
        sys.stdin.readline()
sharks.prepare(sys.argv[1], sys.argv[2], progress=wait)
"""


@pytest.fixture
def songs(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    for i in range(3):
        write_wav(folder / f"{i}.wav", music(3, seed=i), 16000)
    return folder


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def verbs(songs: pathlib.Path, out: pathlib.Path) -> dict[str, Callable[[], object]]:
    pack = sharks.random_pack(sharks.SampleRNNSpec(sample_rate=1000, q_levels=32, frame_sizes=(4,), dim=8))
    asked = Experiment("x", "", "dadabots-2tier-tiny", (0,), {}, {"a": {}, "b": {}})
    playing = Playing(minutes=(0.01, 0.02), clip_seconds=1.0)
    return {
        "prepare": lambda: sharks.prepare(songs, out),
        "train": lambda: sharks.train(dataset(RATE, (9000,), (6000,)), out, "dadabots-2tier-tiny", steps=1, **SMALL),
        "make": lambda: make(songs, out, playing=playing),
        "play": lambda: play(songs, out, playing=playing),
        "demo": lambda: demo(out, pack=pack),
        "sweep": lambda: sweep(asked, dataset(RATE, (9000,), (6000,)), out),
        "curate": lambda: sharks.curate(songs, out, minutes=(0.01, 0.2)),
        "save": lambda: sharks.curate(songs, minutes=(0.01, 0.2)).save(out),
    }


@pytest.mark.parametrize("verb", ["prepare", "train", "make", "play", "demo", "sweep", "curate", "save"])
def test_a_verb_is_refused_while_another_process_writes(verb: str, songs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    if verb in ("train", "sweep"):
        pytest.importorskip("torch", reason="training needs torch, which is not installed")
    out = tmp_path / "out"
    with held(out, "writes"):
        with pytest.raises(sharks.ResourceError, match=f"^{re.escape(str(out))}: another process .*; wait for it"):
            verbs(songs, out)[verb]()
        assert list(out.iterdir()) == []


@contextlib.contextmanager
def preparing(songs: pathlib.Path, out: pathlib.Path, **variables: str) -> Iterator[subprocess.Popen]:
    """Another process in the middle of it, until something is written to it."""
    command = [sys.executable, "-c", PREPARING, str(songs), str(out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=ENVIRONMENT | variables, **pipes) as other:
        assert other.stdout.readline() == "decoding\n"
        yield other
        other.communicate("\n")
        assert other.returncode == 0


def test_two_that_prepare_make_what_one_does(songs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sharks.prepare(songs, tmp_path / "alone")
    with preparing(songs, tmp_path / "both") as first:
        second = sharks_command("prepare", songs, "-o", tmp_path / "both")
    assert second.returncode == 4 and second.stdout == ""
    assert "another process prepares into it" in second.stderr and str(first.pid) in second.stderr
    assert contents(tmp_path / "both") == contents(tmp_path / "alone")


def test_one_that_torchrun_started_waits_for_the_dataset(songs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sharks.prepare(songs, tmp_path / "alone")
    ranks = [{"WORLD_SIZE": "2", "RANK": str(rank)} for rank in range(2)]
    with preparing(songs, tmp_path / "both", **ranks[1]):
        words = [*COMMAND, "prepare", songs, "-o", tmp_path / "both", "--json"]
        second = subprocess.Popen(
            list(map(str, words)), env=ENVIRONMENT | ranks[0], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(3)
    answer, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert json.loads(answer)["dataset"] == str(tmp_path / "both")
    assert contents(tmp_path / "both") == contents(tmp_path / "alone")


def test_a_killed_one_leaves_the_way_free(songs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sharks.prepare(songs, tmp_path / "alone")
    command = [sys.executable, "-c", PREPARING, str(songs), str(tmp_path / "both")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "decoding\n"
        other.kill()
    sharks.prepare(songs, tmp_path / "both")
    assert contents(tmp_path / "both") == contents(tmp_path / "alone")


def test_the_second_training_leaves_the_first_alone(songs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Though it would go on with the first one's checkpoint, and the first is stopped in the middle of a step."""
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    sharks.prepare(songs, tmp_path / "data", sample_rate=RATE)
    small = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    words = ["train", tmp_path / "data", "-o", tmp_path / "run", "-p", "dadabots-2tier-tiny", "--steps", "400"]
    words += [*small, "--device", "cpu"]
    first = subprocess.Popen(
        list(map(str, [*COMMAND, *words])), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while first.poll() is None and not (tmp_path / "run" / "best.safetensors").exists():
            time.sleep(0.01)
        os.kill(first.pid, signal.SIGSTOP)
        before = contents(tmp_path / "run")
        second = sharks_command(*words, "--set", "train.learning_rate=0.5")
        assert second.returncode == 4, second.stderr
        assert "another process trains into it" in second.stderr and str(first.pid) in second.stderr
        assert contents(tmp_path / "run") == before
    finally:
        os.kill(first.pid, signal.SIGCONT)
        first.send_signal(signal.SIGINT)
        assert first.wait(120) == 130
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "nll" in row]
    assert steps == list(range(1, len(steps) + 1))
