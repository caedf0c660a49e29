"""Clips that are played into a folder by a command that is ended again and again."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import time
import typing

import numpy as np
import pytest

import sharks
from command import BOOKISH, COMMAND, ENVIRONMENT, digests, ended_after, unplayable

SPEC = sharks.SampleRNNSpec(sample_rate=8000, q_levels=32, frame_sizes=(4,), dim=16, embed_dim=8)
KINDS = {"SIGINT": signal.SIGINT, "kill -9": signal.SIGKILL}
LAYOUTS = {
    "many clips": ["-n", "270", "--length", "0.4s"],
    "one long clip": ["--length", "60s"],
}  # about a million steps
AT_ONCE = 5.0  # seconds for the answer to SIGINT

posix = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc to see when a command has begun")


class Moment(typing.NamedTuple):
    seconds: float  # from when the command was in charge to the signal
    took: float  # from the signal to the end


def torment(
    pack: pathlib.Path, words: list[str], kind: signal.Signals, count: int, folder: pathlib.Path
) -> list[Moment]:
    """Play the same clips into a folder again and again, until they were interrupted `count` times: those moments.

    Whenever they are finished, and in the end, they are compared with those of a command that was left alone. Every
    other time the command sets bookmarks all the time.
    """
    command, cut = ["generate", pack, "--seed", "7", "--threads", "1", *words], folder / "cut"
    expected = 130 if kind == signal.SIGINT else -kind

    def finish(out: pathlib.Path) -> dict[str, str]:
        done = subprocess.run(
            [*COMMAND, *map(str, command), "-o", out], env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return digests(out)

    began = time.monotonic()
    wanted = finish(folder / "whole")
    took, dice = time.monotonic() - began, np.random.default_rng(count)
    found: list[Moment] = []
    for number in range(10 * count):
        seconds = took * dice.random()
        ended = ended_after(seconds, kind, [*(BOOKISH if number % 2 else COMMAND), *command, "-o", cut])
        assert ended.code in (0, expected), ended
        assert "Traceback" not in ended.errors, ended
        assert unplayable(cut) == [], ended
        if ended.code == 0:  # too late
            assert digests(cut) == wanted
            shutil.rmtree(cut)
            took *= 0.9  # the machine was busier when this was measured
            continue
        found.append(Moment(seconds, ended.took))
        if len(found) == count:
            break
    assert finish(cut) == wanted
    assert len(found) == count, f"only {len(found)} moments were in time"
    return found
