"""The arithmetic of the limit; the probes themselves are as fast as the machine."""

import threading

import pytest

from sharks import _core
from sharks.proof import limits

COST = {"step_bytes": 800.0, "frame_bytes": 100.0, "working_set": 6000.0, "multiply_adds": 50.0}


@pytest.fixture
def made_up(monkeypatch):
    """A machine that reads 400 bytes per second, or 50 of more than 1000, and multiplies 200 times."""
    monkeypatch.setattr(limits, "read_rate", lambda size, threads: threads * (400 if size <= 1000 else 50))
    monkeypatch.setattr(limits, "multiply_rate", lambda dtype, threads: threads * {"float32": 200, "int8": 800}[dtype])


def test_one_stream_waits_for_the_bytes_of_all_levels(made_up):
    found = limits.limit(COST, "float32", streams=1, threads=1)
    assert found.reading == 800 / 400 + 100 / 50
    assert found.multiplying == 50 / 200
    assert found.samples_per_second == 1 / 4
    assert found.peak == 4


def test_many_streams_share_the_bytes_and_wait_for_the_products(made_up):
    found = limits.limit(COST, "float32", streams=32, threads=1)
    assert found.reading == 4 and found.multiplying == 8
    assert found.samples_per_second == found.peak == 4
    assert limits.limit(COST, "int8", streams=32, threads=1).samples_per_second == 32 / 4


def test_threads_share_both(made_up):
    assert limits.limit(COST, "float32", streams=1, threads=2).samples_per_second == 1 / 2
    assert limits.limit(COST, "float32", streams=32, threads=2).samples_per_second == 8


def test_without_frames_only_the_steps_are_read(made_up):
    assert limits.limit(COST | {"frame_bytes": 0.0}, "float32", 1, 1).reading == 2


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_probes_run_side_by_side_on_a_part_each(monkeypatch, threads):
    together, sizes = threading.Barrier(threads, timeout=20), []

    def read(size, rounds):
        together.wait()  # broken unless all are inside at once
        sizes.append(size)
        return size / 100

    monkeypatch.setattr(_core, "probe_read", read)
    assert limits.read_rate(600, threads) == pytest.approx(threads * 100)
    assert sizes == [600 // threads] * threads
    monkeypatch.setattr(_core, "probe_multiply", lambda dtype: together.wait() * 0 + 7.0)
    assert limits.multiply_rate("float32", threads) == threads * 7


def test_the_machine_answers():
    assert limits.read_rate(1 << 16) > 1e8
    assert limits.multiply_rate("float32") > 1e8
