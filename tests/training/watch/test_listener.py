"""Every event reaches everyone, in order, and all are closed whatever happens."""

import inspect
import pathlib

import pytest

from sharks.training.watch.listener import Listener, Listeners

EVENTS = {name: event for name, event in vars(Listener).items() if inspect.isfunction(event)}


class Diary(Listener):
    """Writes everything into a list, under its own name."""

    def __init__(self, name, pages):
        for event in EVENTS:
            setattr(self, event, lambda *what, event=event: pages.append((name, event, *what)))


def test_everyone_is_told_everything_in_order():
    """Whatever events there are, none is forgotten; what is told arrives as it was told."""
    pages = []
    tell = Listeners(Diary("first", pages))
    tell.add(Diary("second", pages))
    for event, function in EVENTS.items():
        what = range(len(inspect.signature(function).parameters) - 1)
        getattr(tell, event)(*what)
        order = ("second", "first") if event == "close" else ("first", "second")
        assert pages == [(name, event, *what) for name in order]
        pages.clear()
    assert {"learnt", "validated", "stepped", "previewed", "saving", "judged", "took", "say", "close"} == set(EVENTS)


def test_who_overrides_nothing_hears_nothing():
    listener = Listener()
    for event, function in EVENTS.items():
        assert getattr(listener, event)(*range(len(inspect.signature(function).parameters) - 1)) is None


def test_one_that_cannot_be_closed_does_not_keep_the_others_open():
    class Stuck(Listener):
        def close(self):
            raise OSError("stuck")

    pages = []
    with pytest.raises(OSError, match="stuck"):
        Listeners(Diary("first", pages), Stuck(), Diary("last", pages)).close()
    assert pages == [("last", "close"), ("first", "close")]


def test_what_a_listener_raises_is_not_swallowed():
    class Full(Listener):
        def previewed(self, step, folder, verdicts):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        Listeners(Full()).previewed(1, pathlib.Path(), [])


def test_work_is_timed_unless_it_fails(monkeypatch):
    now, pages = [10.0], []
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tell = Listeners(Diary("diary", pages))
    with tell.timed("save"):
        now[0] += 2.5
    with pytest.raises(ZeroDivisionError), tell.timed("step"):
        1 / 0  # noqa: B018
    assert pages == [("diary", "took", "save", 2.5)]
