"""The long proofs of training, on the example songs: about three quarters of an hour on two cores that do nothing else.

    python -m pytest tests/soak/test_training.py [-k kills|curve|twice|smoke]

SHARKS_PRESET names another preset for the curve.
"""

from __future__ import annotations

import os
import pathlib
import signal
import time

import pytest

import sharks
from killing import killed
from sharks.training import smoke
from sharks.training.run import rundir
from sharks.training.watch.display import Display
from small_runs import everything

SONGS = pathlib.Path(__file__).parents[2] / "examples" / "muldjord"
PRESET = os.environ.get("SHARKS_PRESET", "sharks-wavenet-small")
KILLS, HOURS, UNDER_ORDER0 = 20, 0.5, 1.2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three songs to train on, one to validate with."""
    return sharks.prepare(SONGS, tmp_path_factory.mktemp("muldjord") / "data", preset=PRESET)


@pytest.mark.timeout(1800)
def test_twenty_kills(tmp_path, figure):
    """kill -9, ten times inside a save: weights, state and log to the last bit."""
    report = killed(tmp_path, str(KILLS))
    figure("kill -9", f"{len(report['ends'])}, of them inside a save {report['inside']}")
    assert report["ends"] == [-signal.SIGKILL] * KILLS and report["inside"] == KILLS // 2
    assert everything(tmp_path / "killed") == everything(tmp_path / "whole")


@pytest.mark.timeout(3600)
def test_the_curve_of_half_an_hour(data, tmp_path, figure):
    """1.2 bits under order-0 on the held-out song, and three healthy rounds of previews at the end."""
    run = sharks.train(data, tmp_path / "run", PRESET, hours=HOURS, steps=10**6, **{"train.keep": 12})
    rounds = [row["previews"] for row in rundir.rows(run.path) if "previews" in row]
    figure("preset, steps, hours", f"{PRESET}, {run.step:,}, {run.hours:.2f}")
    figure("held out", f"{run.nll:.3f} bits, {run.order0 - run.nll:.3f} under order-0 ({run.order0:.3f})")
    figure("last previews", rounds[-3:])
    assert run.order0 - run.nll >= UNDER_ORDER0
    assert len(rounds) >= 3 and {verdict for verdicts in rounds[-3:] for verdict in verdicts} == {"ok"}


@pytest.mark.timeout(1800)
def test_the_same_seed_has_the_same_curve_twice_and_the_eta_is_honest(data, tmp_path, figure, monkeypatch):
    """Every row of both logs; and what was forecast at 2 % of the steps, within 15 % of what it took."""
    said = []
    parts = Display.parts

    def noted(self, step, now, forecast):
        said.append((step, time.monotonic(), forecast.left(step)))
        return parts(self, step, now, forecast)

    monkeypatch.setattr(Display, "parts", noted)
    settings = {"train.validate_every": 150, "train.checkpoint_every": 300, "train.preview_every": 300}
    steps, ends = 900, []
    for name in ("one", "two"):
        sharks.train(data, tmp_path / name, "dadabots-2tier-tiny", steps=steps, **settings)
        ends.append((len(said), time.monotonic()))
    assert rundir.rows(tmp_path / "one") == rundir.rows(tmp_path / "two")
    first = [row for row in said[: ends[0][0]] if row[0] >= 0.02 * steps][0]
    took = ends[0][1] - first[1]
    figure(f"ETA at step {first[0]} of {steps}", f"{first[2]:.0f} s; it took {took:.0f} s")
    assert first[2] == pytest.approx(took, rel=0.15)


@pytest.mark.timeout(600)
def test_two_seconds_below_one_bit_within_five_minutes(data, figure):
    found = smoke(data, "dadabots-2tier-tiny")
    figure("smoke", str(found))
    assert found.passed and found.nll < 1.0 and found.seconds < 300
