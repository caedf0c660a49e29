"""The plan, the line, and that neither says more than it knows."""

import dataclasses
import io
import math
import pathlib

import pytest

from sharks import recipe
from sharks.terminal import Terminal
from sharks.terminal.units import duration
from sharks.training.step import memory
from sharks.training.watch.display import Display, Silent
from sharks.training.watch.forecast import Forecast
from small_runs import PLAN

FORECAST = Forecast(recipe("dadabots-2tier-tiny").train, {"step": 0.5})


def test_what_hearing_will_cost_is_known_before_the_start():
    """Half of what learning costs: 2.048 s of music take 0.125 s."""
    heard = 0.125 / 2.048
    guesses = {"step": 0.25, "validation": 30 * heard, "judging": 180 * heard, "preview": 2.0}
    assert PLAN.guesses() == pytest.approx(guesses)


def test_the_plan_says_what_it_will_cost():
    text = str(PLAN)
    for fact in (
        "10.2 min of music in 152 chunks (3 silent ones left out), 3.0 min held out",
        "1.37 M parameters on cpu in float32, about 500 MB of memory, 7.0 GB more are free",
        "batch 32 x 1024 samples, 131,072 samples/s = 8.2x real time",
        f"1,000 steps, which hear the music 1.7 times, in about {duration(PLAN.seconds)}; first preview in about 50 s",
        "disk: about 100 MB for 5 checkpoints, ",
        "guessing costs 7.57 bits per sample (order-0; uniform 8.00)",
    ):
        assert fact in text


def test_the_plan_counts_all_that_is_done_besides_learning():
    """Steps, validations, previews, judging; and what is left to do when the budget in hours is over."""
    guesses, work = PLAN.guesses(), Forecast(PLAN.train, {}).work(0)
    assert work["validation"] > 0 and work["preview"] > 1
    assert PLAN.seconds == pytest.approx(sum(guesses.get(kind, 0.0) * count for kind, count in work.items()))
    closing = guesses["validation"] + guesses["preview"] + guesses["judging"]
    for hours, spent in ((0.01, 0.0), (0.01, 0.0025), (0.01, 0.02)):
        budget = max(0.0, 3600 * (hours - spent))
        assert dataclasses.replace(PLAN, hours=hours, spent=spent).seconds == pytest.approx(budget + closing)
    assert dataclasses.replace(PLAN, hours=100.0).seconds == PLAN.seconds


def heard(monkeypatch, stream=None, steps=100, seconds=0.5):
    """A display that was told of so many steps, each of so many seconds."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(memory, "current", lambda device: 2**29)
    display = Display(PLAN, FORECAST, Terminal(io.StringIO() if stream is None else stream))
    for step in range(1, steps + 1):
        now[0] += seconds
        display.learnt(step, 7.0, 0.001)
    return display, now[0]


def test_the_line(monkeypatch):
    display, now = heard(monkeypatch)
    display.validated(100, 6.44, {}, best=True)
    left = duration(FORECAST.left(100))
    assert display.parts(100, now, FORECAST) == [
        f"ETA {left}",
        "10% of 1,000 steps",
        "loss 7.00 bits, guessing 7.57, held-out 6.44",
        "4.1x real time",
        "512 MB",
    ]
    display.previewed(100, pathlib.Path(), ["ok", "silent: 93 %"])
    assert "health ok 1/2 previews" in display.parts(100, now, FORECAST)


def test_the_line_knows_the_budget(monkeypatch):
    """It names what ends first, steps or hours, and its percent is of that."""
    display, now = heard(monkeypatch)
    display.plan = dataclasses.replace(PLAN, hours=80 / 3600)  # of which 50 seconds are over
    assert display.parts(100, now, FORECAST)[:2] == ["ETA 30 s", "62% of 1 m 20 s"]
    assert display.parts(700, now, FORECAST)[1] == "70% of 1,000 steps"
    display.plan = dataclasses.replace(PLAN, hours=100 / 3600, spent=40 / 3600)  # it goes on: 90 of 100 are over
    assert display.parts(100, now, FORECAST)[:2] == ["ETA 10 s", "90% of 1 m 40 s"]


def test_no_terminal_gets_few_whole_lines(monkeypatch):
    stream = io.StringIO()
    display, _ = heard(monkeypatch, stream, steps=200)
    display.validated(200, 7.7, {}, best=False)
    display.validated(300, 6.6, {}, best=True)
    written = stream.getvalue()
    assert len([line for line in written.splitlines() if line.startswith("ETA")]) == 2, "after 10 s, and a minute later"
    assert "\r" not in written and "\x1b" not in written
    assert written.splitlines()[-2:] == [
        "step 200: not learning yet: 0.13 bits worse than guessing (7.700 bits per sample, guessing 7.57)",
        "step 300: learning: 0.97 bits better than guessing (6.600 bits per sample, guessing 7.57), the best so far",
    ]


def test_the_first_preview_says_where_it_is_to_be_heard():
    stream = io.StringIO()
    display = Display(PLAN, FORECAST, Terminal(stream))
    for step in (100, 200):
        display.previewed(step, pathlib.Path("run/previews") / f"{step:010d}", ["ok", "ok"])
    said = stream.getvalue()
    assert said.count("hear what it has learnt by now in run/previews/0000000100\n") == 1 == said.count("hear what")


def test_quiet_is_quiet(capsys):
    display = Silent(PLAN, FORECAST)
    display.learnt(1, 7.0, 0.001)
    display.validated(1, math.nan, {}, best=False)
    assert capsys.readouterr() == ("", "")
