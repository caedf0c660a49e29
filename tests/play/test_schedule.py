"""Temperature over time, and seconds as samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharks
from sharks.clips import manifest
from sharks.packs.pack import Pack
from sharks.play.schedule import Schedule, steps

RATE = 16000
TINY = sharks.random_pack(sharks.SampleRNNSpec(dim=8, embed_dim=4, layers=1), seed=0)
POINTS = [(0.5, 0.8), (1.0, 1.2), (4.0, 0.9)]


def test_one_number_is_for_all_streams_and_all_time() -> None:
    heat = Schedule(0.95, 3, RATE).at(10**12, 4)
    assert heat.dtype == np.float32
    assert heat.shape == (3, 4)
    assert (heat == np.float32(0.95)).all()


def test_one_number_per_stream() -> None:
    heat = Schedule([0.5, 1.0], 2, RATE).at(7, 3)
    assert heat.tolist() == [[0.5] * 3, [1.0] * 3]


def test_points_are_met_joined_by_lines_and_held_at_the_ends() -> None:
    heat = Schedule(POINTS, 2, RATE).at(0, 5 * RATE)
    assert (heat[0] == heat[1]).all()
    at = {seconds: float(heat[0, int(seconds * RATE)]) for seconds in (0, 0.25, 0.5, 0.75, 1.0, 2.5, 4.0, 4.9)}
    wanted = {0: 0.8, 0.25: 0.8, 0.5: 0.8, 0.75: 1.0, 1.0: 1.2, 2.5: 1.05, 4.0: 0.9, 4.9: 0.9}
    assert at == pytest.approx(wanted, abs=1e-7)
    seconds, values = zip(*POINTS, strict=True)
    assert np.abs(heat[0] - np.interp(np.arange(5 * RATE) / RATE, seconds, values)).max() < 1e-7


def test_one_point_is_a_constant() -> None:
    assert (Schedule([(3.0, 0.7)], 1, RATE).at(0, 5) == np.float32(0.7)).all()


@given(st.integers(0, 70000), st.lists(st.integers(1, 3000), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_chunks_cannot_matter(start: int, counts: list[int]) -> None:
    schedule = Schedule(POINTS, 1, RATE)
    pieces, step = [], start
    for count in counts:
        pieces.append(schedule.at(step, count))
        step += count
    assert np.array_equal(np.concatenate(pieces, axis=1), schedule.at(start, step - start))


def test_what_a_stream_alone_needs() -> None:
    assert Schedule([0.95, 1.0], 2, RATE).of_stream(0) == 0.95
    assert Schedule(POINTS, 2, RATE).of_stream(1) == [list(point) for point in POINTS]
    again = Schedule(Schedule(POINTS, 2, RATE).of_stream(1), 1, RATE)
    assert np.array_equal(again.at(9000, 9000)[0], Schedule(POINTS, 2, RATE).at(9000, 9000)[0])


@pytest.mark.parametrize(
    "temperature",
    [
        -1,
        math.nan,
        math.inf,
        1e6,
        None,
        "hot",
        [],
        [0.9],
        [0.9, 1.0, 1.1],
        [0.9, -0.1],
        [(0, 1.0), (0, 2.0)],
        [(1, 1.0), (0, 2.0)],
        [(-1, 1.0), (0, 2.0)],
        [(0, 1.0), (math.inf, 2.0)],
        [(math.nan, 1.0)],
        [(0, 1.0), (1, -2.0)],
        [(0, 1.0), (1, math.nan)],
        [(0, 1.0, 2.0)],
        [(0, 1.0), (1,)],
        [[[0.5]]],
        {0: 1.0},
    ],
)
def test_temperatures_that_cannot_be_meant(temperature: object) -> None:
    with pytest.raises(sharks.UsageError, match="^temperature"):
        Schedule(temperature, 2, RATE)


def test_seconds_become_the_nearest_sample() -> None:
    assert steps("seconds", 1, 16000) == 16000
    assert steps("seconds", 0.1, 22050) == 2205
    assert steps("seconds", 1 / 3, 44100) == 14700
    assert steps("seconds", np.float32(0.5), 16000) == 8000
    assert steps("seconds", 0.6 / 16000, 16000) == 1


@pytest.mark.parametrize("seconds", [0, -1, 0.0, math.nan, math.inf, 1e-6, 1e300, "10", None, True, [1], 1 + 0j])
def test_seconds_that_cannot_be_meant(seconds: object) -> None:
    with pytest.raises(sharks.UsageError, match="^seconds is"):
        steps("seconds", seconds, 16000)


# What a pack says of itself


@pytest.mark.parametrize(("about", "wanted"), [({}, 0.95), ({"temperature": 0.75}, 0.75), ({"temperature": 1}, 1.0)])
def test_a_pack_is_played_at_its_own_temperature(about, wanted, tmp_path):
    pack = Pack(TINY.spec, TINY.tensors, about=about)
    given = sharks.generate(pack, 0.01, 2, temperature=wanted, seed=1).levels
    assert np.array_equal(sharks.generate(pack, 0.01, 2, seed=1).levels, given)
    block = next(sharks.stream(pack, 2, block=0.01, seed=1))
    assert np.array_equal(block, next(sharks.stream(pack, 2, block=0.01, seed=1, temperature=wanted)))
    sharks.generate(pack, 0.01, seed=1, out=tmp_path)
    assert manifest.read(tmp_path)["0000.wav"].temperature == wanted


@pytest.mark.parametrize("value", ["hot", [1], None, True, -1, 1001, {}, "\x1b[2J\u202e"])
def test_a_pack_whose_temperature_is_none_is_refused(value):
    pack = Pack(TINY.spec, TINY.tensors, about={"temperature": value})
    for play in (sharks.generate, sharks.stream):
        with pytest.raises(sharks.PackError, match="as its temperature, wanted 0 to 1000; give another one") as caught:
            play(pack)
        assert str(caught.value).isprintable()
    assert sharks.generate(pack, 0.01, temperature=1.0).levels.size
