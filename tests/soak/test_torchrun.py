"""Processes that torchrun started, many times: each run ends with exit code 0, and nobody says a word at the end."""

from __future__ import annotations

import pathlib

import pytest

from command import torchrun
from small_runs import losses

PROGRAM = pathlib.Path(__file__).parents[1] / "rulers" / "shared_run.py"
RUNS = 20


@pytest.mark.timeout(3600)
def test_twenty_runs_end_well(figure, tmp_path):
    for number in range(RUNS):
        done = torchrun(2, PROGRAM, 4, tmp_path / str(number))
        assert done.returncode == 0 and done.stderr == "", f"run {number}: {done.stderr}"
    assert all(losses(tmp_path / str(number)) == losses(tmp_path / "0") for number in range(RUNS))
    figure("torchrun", f"{RUNS} trainings by two processes, all ended with 0 and in silence, with the same losses")
