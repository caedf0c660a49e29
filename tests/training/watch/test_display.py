"""The plan, the line, and that neither says more than it knows."""

import dataclasses
import io
import math
import pathlib

import pytest

from sharks import recipe
from sharks.training.step import memory
from sharks.training.watch.display import Display, Silent
from sharks.training.watch.forecast import Forecast
from sharks.training.watch.run_facts import duration
from small_runs import PLAN

FORECAST = Forecast(recipe("dadabots-2tier-tiny").train, {"step": 0.5})


def test_what_hearing_will_cost_is_known_before_the_start():
    """Half of what learning costs: 2.048 s of music take 0.125 s."""
    heard = 0.125 / 2.048
    guesses = {"step": 0.25, "validation": 30 * heard, "judging": 180 * heard, "preview": 2.0}
    assert PLAN.guesses() == pytest.approx(guesses)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_plan_says_what_it_will_cost():
    text = str(PLAN)
    for fact in (
        "10.2 min of music in 152 chunks (3 silent ones left out), 3.0 min held out",
        "1.37 M parameters on cpu in float32, about 500 MB of memory, 7.0 GB more are free",
        "batch 32 x 1024 samples, 131,072 samples/s = 8.2x real time",
        "1,000 steps = 1.7 passes, about 4 m 10 s; first preview in about 50 s",
        "disk: about 100 MB for 5 checkpoints, ",
        "uniform 8.00, order-0 7.57 bits",
    ):
        assert fact in text
    assert "about 36 s" in str(dataclasses.replace(PLAN, hours=0.01))
    assert "about 27 s" in str(dataclasses.replace(PLAN, hours=0.01, spent=0.0025))


def test_the_line(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(memory, "current", lambda device: 2**29)
    display = Display(PLAN, FORECAST, io.StringIO())
    for step in range(1, 101):
        now[0] += 0.5
        display.learnt(step, 7.0, 0.001)
    display.validated(100, 6.44, {}, best=True)
    assert display.line(100, now[0], 450.0) == (
        "step 100/1,000 10% | loss 7.00 bits (val 6.44; uniform 8.00, order-0 7.57) | 65,536 samples/s = 4.1x | "
        "512 MB | ETA 7 m 30 s"
    )
    display.previewed(100, pathlib.Path(), ["ok", "silent: 93 %"])
    assert display.line(100, now[0], 450.0).endswith("| health ok 1/2 previews")
    display.plan = dataclasses.replace(PLAN, hours=80 / 3600)  # of which 50 seconds are over
    assert display.line(100, now[0], 450.0).startswith("step 100/1,000 62% |"), "steps that no time is left for"
    assert display.line(700, now[0], 450.0).startswith("step 700/1,000 70% |")
    display.plan = dataclasses.replace(PLAN, hours=100 / 3600, spent=40 / 3600)  # it goes on: 90 of 100 are over
    line = display.line(100, now[0], 450.0)
    assert line.startswith("step 100/1,000 90% |") and "ETA 10 s" in line


def test_no_terminal_gets_few_whole_lines(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    display = Display(PLAN, FORECAST, stream)
    for step in range(1, 201):
        now[0] += 0.5
        display.learnt(step, 7.0, 0.001)
    display.validated(200, 7.7, {}, best=False)
    written = stream.getvalue()
    lines = [line for line in written.splitlines() if line.startswith("step")]
    assert len(lines) == 3 + 1, "one in half a minute, and the validation"
    assert "\r" not in written and "\x1b" not in written
    assert "0.13 over order-0: not learning yet" in written


def test_a_terminal_s_line_is_rewritten_and_fits(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = Terminal()
    display = Display(PLAN, FORECAST, stream)
    for step in range(1, 5):
        now[0] += 0.6
        display.learnt(step, 7.0, 0.001)
    lines = stream.getvalue().split("\r\x1b[K")
    assert len([line for line in lines if line.startswith("step")]) == 4
    assert all(len(line) < 60 for line in lines if line.startswith("step"))


def test_the_first_preview_says_where_it_is_to_be_heard():
    display = Display(PLAN, FORECAST, io.StringIO())
    for step in (100, 200):
        display.previewed(step, pathlib.Path("run/previews") / f"{step:010d}", ["ok", "ok"])
    said = display._stream.getvalue()
    assert said.count("hear what it has learnt by now in run/previews/0000000100\n") == 1 == said.count("hear what")


def test_quiet_is_quiet(capsys):
    display = Silent(PLAN, FORECAST)
    display.learnt(1, 7.0, 0.001)
    display.validated(1, math.nan, {}, best=False)
    assert capsys.readouterr() == ("", "")


def test_durations():
    assert [duration(s) for s in (0, 59.6, 380, 63600)] == ["0 s", "1 m 00 s", "6 m 20 s", "17 h 40 m"]
    assert duration(3.6e6) == "42 days", "the minutes of a month are no matter"
