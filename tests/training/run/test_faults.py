"""A disk that fails at any point of a save costs no checkpoint, and never goes unsaid."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal

import pytest

import sharks
from faults import Faults, refuse
from killing import POINTS, killed
from made_songs import dataset
from sharks.errors import ResourceError
from sharks.training.loop import Loop
from sharks.training.run import checkpoint, rundir
from sharks.training.watch import previews
from sharks.training.watch.listener import Listeners
from sharks.training.watch.log import Log
from small_runs import RATE, SMALL, everything, trained

REFUSALS = {errno.ENOSPC: "No space left", errno.EIO: "Input/output error", errno.EACCES: "Permission denied"}
ENDLESS = {"train.decay": "none", "train.preview_every": 1000}


@pytest.fixture(scope="module")
def data():
    return dataset(RATE, (9000, 7000), (6000, 5000))


@pytest.fixture(scope="module")
def begun(data, tmp_path_factory):
    """A run with one checkpoint, at step 4."""
    out = tmp_path_factory.mktemp("begun") / "run"
    trained(data, out, steps=4, **ENDLESS)
    return out


def saved_with(monkeypatch, faults):
    """Let every save go through `faults`, and nothing else."""
    save = Loop._save

    def watched(self):
        with faults:
            save(self)

    monkeypatch.setattr(Loop, "_save", watched)


def copy_of(begun, place):
    shutil.rmtree(place, ignore_errors=True)
    return pathlib.Path(shutil.copytree(begun, place))


def points_of_a_save(data, begun, place, monkeypatch):
    faults = Faults(place)
    with monkeypatch.context() as patched:
        saved_with(patched, faults)
        trained(data, copy_of(begun, place), steps=8, **ENDLESS)
    return faults.points


def test_a_save_has_these_points(data, begun, tmp_path, monkeypatch):
    """The harness sees what it should: log, pack, state and best, each opened, written, synced and renamed."""
    points = points_of_a_save(data, begun, tmp_path / "run", monkeypatch)
    assert points[0] == "fsync log.jsonl"
    for name in ("checkpoints/0000000008.safetensors", "checkpoints/0000000008.state.safetensors", "best.safetensors"):
        assert f"rename to {name}" in points
    assert sum(p.startswith("open ") for p in points) == 3
    assert sum(p.startswith("write ") for p in points) >= 3 and points.count("fsync checkpoints") == 2
    assert len(points) >= POINTS, "killing.py draws one of the first so many"


def unharmed(begun, out, where):
    """The step of the newest checkpoint; all that `begun` had is there, and something can be played."""
    found, passed = checkpoint.newest(out / "checkpoints")
    assert found.step in (4, 8) and not passed, where
    for path in (begun / "checkpoints").iterdir():
        assert (out / "checkpoints" / path.name).read_bytes() == path.read_bytes(), where
    assert sharks.load(out).about["step"] in (4, found.step), where
    return found.step


def test_every_refusal_at_every_point_of_a_save_costs_nothing(data, begun, tmp_path, monkeypatch):
    """All points times all errnos: an error is raised, and every checkpoint that was there loads."""
    kept, out = [], tmp_path / "run"
    monkeypatch.setattr(Loop, "_save", lambda self: kept.append(self))
    trained(data, copy_of(begun, out), steps=8, **ENDLESS)
    monkeypatch.undo()
    (loop,) = kept
    pack = loop._pack()
    monkeypatch.setattr(loop, "_pack", lambda: pack)  # its golden steps are played once

    def save(at=None, act=None):
        copy_of(begun, out)
        loop.tell = Listeners(Log(out, 8))
        with contextlib.closing(loop.tell), Faults(out, at, act) as faults:
            loop._save()
        return faults.points

    points = save()
    assert len(points) > 15
    reached = []
    for at, where in enumerate(points):
        for number, says in REFUSALS.items():
            with pytest.raises(ResourceError, match=says):
                save(at, refuse(number))
            reached.append(unharmed(begun, out, where))
    assert {4, 8} == set(reached), "some points come before the checkpoint is whole, some after"


@pytest.mark.slow
def test_a_training_whose_disk_fails_says_so_and_goes_on_the_next_time(data, begun, tmp_path, monkeypatch):
    """In a training, at every third point of a save; the same call afterwards ends as if nothing had been."""
    out, whole = tmp_path / "run", copy_of(begun, tmp_path / "whole")
    trained(data, whole, steps=8, **ENDLESS)
    for at, where in list(enumerate(points_of_a_save(data, begun, out, monkeypatch)))[::3]:
        number, says = list(REFUSALS.items())[at % len(REFUSALS)]
        copy_of(begun, out)
        with monkeypatch.context() as patched:
            saved_with(patched, Faults(out, at, refuse(number)))
            with pytest.raises(ResourceError, match=says):
                trained(data, out, steps=8, **ENDLESS)
        unharmed(begun, out, where)
        if at % 4 == 0:  # one of four
            trained(data, out, steps=8, **ENDLESS)
            assert everything(out) == everything(whole), f"after {where}"
            assert not [p.name for p in out.rglob("*") if "unfinished" in p.name]


def test_the_log_says_when_it_cannot_be_written(tmp_path):

    def log():
        with contextlib.closing(Log(tmp_path, 1)) as log:
            log.write(step=2, nll=1.0)
            log.flush()

    with Faults(tmp_path) as counted:
        log()
    assert counted.points[-3:] == ["open log.jsonl", "write log.jsonl", "fsync log.jsonl"]
    for at in range(len(counted.points)):
        with Faults(tmp_path, at, refuse(errno.ENOSPC)) as faults:
            with pytest.raises(ResourceError, match="log.jsonl: cannot be written .No space"):
                log()
        assert faults.struck
    log()
    assert rundir.rows(tmp_path) == [{"step": 2, "nll": 1.0}], "rows that were cut short are gone"


def test_a_folder_that_refuses_is_one_sentence(data, tmp_path):
    with Faults(tmp_path, 0, refuse(errno.EACCES)), pytest.raises(ResourceError, match="Permission denied"):
        trained(data, tmp_path / "run", steps=2)
    assert list(tmp_path.iterdir()) == []


def test_previews_that_cannot_be_written_do_not_end_a_training(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(previews, "make", lambda *_: refuse(errno.ENOSPC)())
    run = sharks.train(data, tmp_path / "run", "dadabots-2tier-tiny", steps=2, **(SMALL | ENDLESS))
    assert run.step == 2 and "step 2: no previews: [Errno 28] No space left" in capsys.readouterr().err


KILLS = int(os.environ.get("SHARKS_KILLS", "5"))  # tests/soak asks for more


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(tmp_path):
    """kill -9, every other time inside a save: log, weights and state to the last bit."""
    report = killed(tmp_path, str(KILLS))
    assert report["ends"] == [-signal.SIGKILL] * KILLS and report["inside"] == (KILLS + 1) // 2, report
    assert everything(tmp_path / "killed") == everything(tmp_path / "whole")
    assert not [p.name for p in (tmp_path / "killed").rglob("*") if "unfinished" in p.name]
