"""A training that begins as a pack: its first prediction is the pack's, and what it began as stays on record."""

import dataclasses

import numpy as np
import pytest

import sharks
from made_songs import dataset
from sharks.errors import UsageError
from sharks.projects.demo import box
from sharks.training.run import rundir
from small_runs import RATE, losses, trained

STILL = {"train.learning_rate": 1e-12, "train.decay": "none"}


@pytest.fixture(scope="module")
def data():
    return dataset(RATE, (9000, 7000), (6000, 5000))


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("dadabots-2tier-tiny", {"train.weight_norm": True}),
        ("prism-3tier-tiny", {"train.ema": 0.9}),
        ("ibab-wavenet-tiny", {}),
    ],
)
def test_it_goes_on_from_what_the_pack_knows(data, tmp_path, preset, settings):
    taught = trained(data, tmp_path / "first", preset, steps=8, **settings)
    still = trained(data, tmp_path / "still", preset, steps=1, start=taught.best, seed=1, **settings, **STILL)
    assert still.nll == pytest.approx(taught.nll, abs=1e-4)
    ours, theirs = sharks.load(still.best).tensors, sharks.load(taught.best).tensors
    assert max(np.abs(ours[name] - theirs[name]).max() for name in theirs) < 1e-5
    noise = trained(data, tmp_path / "noise", preset, steps=1, seed=1, **settings, **STILL)
    assert abs(noise.nll - taught.nll) > 1e-3


def test_the_model_in_the_box_learns_other_music(tmp_path):
    """With its own preset, and begun as it was: a second start from the first run finds the same held-out loss."""
    pack = box()
    music = dataset(16000, (160_000,), (48_000,))
    small = {"train.batch": 2, "train.validate_seconds": 2.0, "train.preview_seconds": 0.05}
    run = sharks.train(music, tmp_path / "run", start=pack, steps=1, quiet=True, **small, **STILL)
    assert run.preset == pack.about["preset"] and run.spec == pack.spec
    again = sharks.train(music, tmp_path / "again", start=run.path, steps=1, quiet=True, seed=3, **small, **STILL)
    assert again.nll == pytest.approx(run.nll, abs=1e-4)
    about = sharks.load(run.path).about
    assert about["started_as"] == pack.sha256 and about["licence"] == pack.about["licence"] == "CC-BY-SA 3.0"
    assert sharks.load(again.path).about["attribution"] == pack.about["attribution"], "and so on"


def test_it_is_on_record_and_the_same_call_goes_on(data, tmp_path):
    taught = trained(data, tmp_path / "first", steps=4)
    other = trained(data, tmp_path / "other", steps=4, seed=7)
    whole = trained(data, tmp_path / "whole", steps=6, start=taught.best, **{"train.decay": "none"})
    out = tmp_path / "parts"
    trained(data, out, steps=3, start=taught.best, **{"train.decay": "none"})
    began = sharks.load(taught.best).sha256
    assert rundir.start(out) == began == sharks.load(out).about["started_as"] and rundir.start(taught.path) is None
    trained(data, out, steps=5, start=sharks.load(taught.best), **{"train.decay": "none"})
    trained(data, out, steps=6, **{"train.decay": "none"})
    assert losses(out) == losses(whole.path) and rundir.start(out) == began
    with pytest.raises(UsageError, match="this run has run.start"):
        trained(data, out, steps=8, start=other.best)
    with pytest.raises(UsageError, match="this run has run.start None"):
        trained(data, taught.path, steps=8, start=other.best)


def test_before_its_first_checkpoint_a_run_must_be_told_again(data, tmp_path):
    taught = trained(data, tmp_path / "first", steps=4)
    trained(data, tmp_path / "run", steps=4, start=taught.best)
    for file in (tmp_path / "run" / "checkpoints").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="name the pack again"):
        trained(data, tmp_path / "run", steps=4)
    assert trained(data, tmp_path / "run", steps=4, start=taught.best).step == 4


def test_another_model_is_refused_with_what_differs(data, tmp_path):
    taught = trained(data, tmp_path / "first", steps=2)
    with pytest.raises(UsageError, match=r"its model has dim 12, wanted 16; set model\.dim"):
        trained(data, tmp_path / "run", start=taught.best, **{"model.dim": 16})
    with pytest.raises(UsageError, match="its model has"):
        trained(data, tmp_path / "run", "prism-3tier-tiny", start=taught.best)
    pack = sharks.load(taught.best)
    anonymous = sharks.Pack(pack.spec, pack.tensors)
    with pytest.raises(UsageError, match="does not say which preset"):
        sharks.train(data, tmp_path / "run", start=anonymous)
    assert not (tmp_path / "run").exists()
    assert trained(data, tmp_path / "run", start=anonymous, steps=2).step == 2


def test_a_finished_run_keeps_the_record_of_what_it_was_trained_with(data, tmp_path, capsys):
    done = trained(data, tmp_path / "run", steps=4)
    written = {path: path.read_bytes() for path in done.path.rglob("*") if path.is_file()}
    capsys.readouterr()
    small = {"quiet": False, "train.learning_rate": 0.5, "train.clip_at": 2.0}
    again = trained(data, done.path, steps=4, **small)
    assert dataclasses.replace(again, recipe=done.recipe) == done
    assert {path: path.read_bytes() for path in done.path.rglob("*") if path.is_file()} == written
    said = capsys.readouterr().err
    assert "is finished at step 4" in said and "train.learning_rate 0.5" in said and "more steps" in said
    trained(data, done.path, steps=6, **{"train.learning_rate": 0.005})
    assert rundir.recorded(done.path)["learning_rate"] == 0.005, "further steps are trained with what is asked for"
