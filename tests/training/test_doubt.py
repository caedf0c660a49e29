"""A training that nobody will wait for is doubted before its first step, and begun only if that is meant."""

import dataclasses

import pytest

from made_songs import dataset
from sharks.errors import UsageError
from sharks.training.run import rundir
from sharks.training.watch import run_facts
from small_runs import PLAN, RATE, trained

DAYS = dataclasses.replace(
    PLAN,
    train=dataclasses.replace(PLAN.train, steps=220_000, preview_every=10_000),
    seconds_to_learn=20.0,
)


def test_what_takes_days_is_doubted_unless_it_is_limited():
    assert DAYS.doubt.startswith("220,000 steps take about 51 days here, and the first sound about 2 days: hours (")
    assert dataclasses.replace(DAYS, hours=100).doubt is None, "its first preview comes in time"
    assert dataclasses.replace(DAYS, hours=8).doubt.startswith(
        "8 h 00 m are 0.7% of this training, and over before its first preview, after about 2 days:"
    )


def test_what_is_soon_over_or_has_begun_is_not():
    assert PLAN.doubt is None
    assert dataclasses.replace(PLAN, hours=0.001).doubt is None, "too short for a preview, but nobody waits"
    assert dataclasses.replace(DAYS, step=1).doubt is None


@pytest.fixture
def slow(monkeypatch):
    """Every training takes too long."""
    monkeypatch.setattr(run_facts, "_DAYS", 0.0)
    return dataset(RATE, (9000, 7000), (6000,))


def test_a_no_leaves_nothing_behind(slow, tmp_path):
    asked = []
    with pytest.raises(UsageError, match="nothing was trained; give hours"):
        trained(slow, tmp_path / "new" / "run", steps=2, ask=lambda sentence: bool(asked.append(sentence)))
    assert len(asked) == 1 and asked[0].startswith("2 steps take about ") and not (tmp_path / "new").exists()
    run = trained(slow, tmp_path / "kept", steps=2)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="nothing was trained"):
        trained(slow, run.path, steps=4, seed=1, resume=False, ask=lambda _: False)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert trained(slow, tmp_path / "new" / "run", "prism-3tier-tiny", steps=2, ask=lambda _: True).step == 2


def test_where_nobody_can_be_asked_it_is_said_and_begun(slow, tmp_path, capsys):
    assert trained(slow, tmp_path / "run", steps=2, quiet=False).step == 2
    assert "note: 2 steps take about " in capsys.readouterr().err
    again = trained(slow, tmp_path / "run", steps=4, ask=lambda sentence: pytest.fail(sentence))
    assert again.step == 4 and rundir.preset(tmp_path / "run") == "dadabots-2tier-tiny"
