"""The verb `bench`: every combination, and figures that fit together."""

import json

import numpy as np
import pytest

import sharks
from sharks.engine.door import cost, open_player
from sharks.proof import bench as verb
from sharks.proof.bench import bench, speed, warm
from specs import SPECS

pytestmark = pytest.mark.alone  # it measures

SPEC = SPECS["samplernn-2-frame-tiers"]


@pytest.fixture
def pack(tmp_path):
    sharks.random_pack(SPEC).save(tmp_path / "small.safetensors")
    return str(tmp_path / "small.safetensors")


def test_every_combination_has_a_row_and_its_figures_fit(pack):
    found = bench(pack, streams=[1, 3], threads=[1, 2], dtypes=["float32", "int8"], seconds=0.01)
    assert json.loads(json.dumps(found)) == found and found["device"] == "cpu"
    asked = [(row["dtype"], row["streams"], row["threads"]) for row in found["rows"]]
    assert asked == [(d, b, t) for d in ("float32", "int8") for b in (1, 3) for t in (1, 2)]
    for row in found["rows"]:
        costs = cost(sharks.load(pack), "cpu", row["dtype"])
        assert row["bytes_per_step"] == costs["step_bytes"] + costs["frame_bytes"]
        assert row["multiply_adds_per_sample"] == costs["multiply_adds"]
        assert row["x_realtime"] == pytest.approx(row["samples_per_second"] / row["streams"] / SPEC.sample_rate)
        assert 0 < row["of_limit"] and 0 < row["limit"] < np.inf


def test_samples_are_those_of_the_sound_where_a_step_is_none(monkeypatch):
    monkeypatch.setattr(verb, "warm", lambda player, seconds: 1)
    monkeypatch.setattr(verb, "speed", lambda player, steps: 600.0)
    (row,) = bench("sharks-form-small", seconds=0.01)["rows"]
    assert row["samples_per_second"] == pytest.approx(600 * 512 / 6)
    assert row["x_realtime"] == pytest.approx(600 / 6 * 512 / 16000)


def test_the_share_is_the_median_of_what_each_run_reached(pack, monkeypatch):
    speeds, limits = iter([6.0, 4.0, 9.0]), iter([10.0, 10.0, 30.0])
    monkeypatch.setattr(verb, "warm", lambda player, seconds: 1)
    monkeypatch.setattr(verb, "speed", lambda player, steps: next(speeds))
    monkeypatch.setattr("sharks.proof.limits.limit", lambda *_: type("Limit", (), {"samples_per_second": next(limits)}))
    row = bench(pack, seconds=0.01)["rows"][0]
    assert (row["samples_per_second"], row["limit"], row["of_limit"]) == (6.0, 10.0, 0.4)


def test_other_devices_have_no_limit(pack):
    found = bench(pack, seconds=0.01, device="reference")
    row = found["rows"][0]
    assert found["device"] == "reference" and row["samples_per_second"] > 0
    for name in ("bytes_per_step", "multiply_adds_per_sample", "limit", "of_limit"):
        assert row[name] is None


def test_runs_are_whole_frames_and_last_about_as_long_as_asked(pack):
    player = open_player(sharks.load(pack), 2, device="cpu", threads=1)
    steps = warm(player, 0.1)
    assert steps % SPEC.lookback == 0
    took = 2 * steps / speed(player, steps)
    assert 0.01 < took < 1


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan"), float("inf")])
def test_impossible_lengths_are_refused(pack, seconds):
    with pytest.raises(sharks.UsageError, match="seconds"):
        bench(pack, seconds=seconds)
