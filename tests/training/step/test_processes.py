"""Processes that share a batch: the losses of one, and a run that survives the loss of one of them."""

import os
import pathlib

import numpy as np
import pytest
import torch

import sharks
from command import torchrun
from made_songs import dataset
from sharks import preset, recipe
from sharks.errors import UsageError
from sharks.training.run import checkpoint, rundir
from sharks.training.step.learner import Learner
from sharks.training.step.processes import Processes
from small_runs import RATE, losses, trained

PROGRAM = pathlib.Path(__file__).parents[2] / "rulers" / "shared_run.py"
CPU = torch.device("cpu")


def shared(processes, *words, **variables):
    return torchrun(processes, PROGRAM, *words, **variables)


def test_alone_nothing_is_asked_of_anyone():
    alone = Processes(CPU)
    assert alone.first and alone.add_up([1.5, 2.0]) == [1.5, 2.0] and alone.part(6) == slice(0, 6)
    assert alone.most(-3.0) == -3.0
    share = torch.arange(3.0)
    alone.add_up_in_place([share])
    assert torch.equal(share, torch.arange(3.0)) and alone.gather(share) is share
    alone.wait()
    alone.leave()


def test_the_most_of_any_process_is_known_to_all(monkeypatch):
    """By one sum, in which every process has a place of its own."""
    given = []
    for rank, value in enumerate((2.0, 5.0, 3.0)):
        one = Processes(CPU)
        one.size, one.rank = 3, rank
        monkeypatch.setattr(one, "add_up", lambda values: given.append(values) or values)
        one.most(value)
    sums = [sum(place) for place in zip(*given, strict=True)]
    assert sums == [2.0, 5.0, 3.0]
    monkeypatch.setattr(one, "add_up", lambda values: sums)
    assert one.most(3.0) == 5.0


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(
        Processes, "__init__", lambda self, device, alone=False: setattr(self, "size", 2) or setattr(self, "rank", 0)
    )
    with pytest.raises(UsageError, match="train.batch is 3; wanted a multiple of 2, the number of processes"):
        trained(dataset(RATE, (9000,)), tmp_path / "run", steps=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="only Linux tells the names of threads")
@pytest.mark.timeout(600)
def test_processes_leave_each_other_in_peace(tmp_path):
    """Also when they train again. A thread of theirs that lives on may abort the process while Python ends."""
    done = shared(2, 4, tmp_path / "first", tmp_path / "second")
    assert done.returncode == 0 and done.stderr == ""
    told = [line.split() for line in done.stdout.splitlines() if line.startswith("threads:")]
    assert len(told) == 4 and not [name for names in told for name in names if "gloo" in name]
    assert losses(tmp_path / "first") == losses(tmp_path / "second")


def test_what_processes_tell_each_other_is_new_to_the_next_training(monkeypatch):
    """Else one might take the other's address of before for that of now, and wait for it."""
    whole, stores = torch.distributed.HashStore(), []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("torch.distributed.rendezvous", lambda *_, **__: iter([(whole, 0, 2)]))
    monkeypatch.setattr("torch.distributed.init_process_group", lambda *_, store, **__: stores.append(store))
    for _ in range(2):
        Processes(CPU)
        stores[-1].set("address", str(len(stores)))
    assert stores[0].get("address") == b"1"


def test_who_learns_by_heart_learns_alone(monkeypatch):
    """Though torchrun has started it: every process learns all of it, and none waits for another."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    learner = Learner(preset("dadabots-2tier-tiny"), recipe("dadabots-2tier-tiny").train, CPU)
    assert learner.processes.size == 1 and learner.processes.first


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_have_the_curve_of_one(tmp_path):
    """200 steps at the same batch: losses within 1e-3 bits; random initial states and the average included."""
    one, two = shared(1, 200, tmp_path / "one"), shared(2, 200, tmp_path / "two")
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    ours, theirs = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert ours.keys() == theirs.keys() == set(range(1, 201))
    apart = [abs(ours[step] - theirs[step]) for step in ours]
    assert 0 < max(apart) < 1e-3, f"step {1 + int(np.argmax(apart))} differs by {max(apart):.2g} bits"
    assert theirs[200] < theirs[1] - 1, "it learns"
    found, _ = checkpoint.newest(tmp_path / "two" / "checkpoints")
    assert {value.shape[0] for name, value in found.arrays.items() if name.startswith("state.")} == {4}, "all streams"
    assert sharks.load(tmp_path / "two").about["step"] == sharks.load(tmp_path / "one").about["step"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_lost_process_is_started_again_and_the_run_goes_on(tmp_path):
    """torchrun restarts all; they go on from the newest checkpoint, and the losses are those of an unbroken run."""
    whole = shared(2, 20, tmp_path / "whole")
    broken = shared(2, 20, tmp_path / "broken", SHARKS_DIE_AT="9")
    assert whole.returncode == 0, whole.stderr
    assert broken.returncode == 0, broken.stderr
    assert "-9" in broken.stderr, "torchrun tells of the one that was lost"
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")
    assert rundir.rows(tmp_path / "broken") == rundir.rows(tmp_path / "whole")
