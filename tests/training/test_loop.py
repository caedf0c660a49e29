"""The order of events: what the docstring of the loop tells, counted out on a small run."""

import os
import signal

import pytest

from made_songs import dataset
from sharks.training import loop
from sharks.training.run import checkpoint
from sharks.training.watch.listener import Listener, Listeners
from small_runs import RATE, trained


class Diary(Listener):
    """Events of a run as (event, step), and what is on the disk when a save is announced."""

    def __init__(self, out):
        self.out, self.pages, self.before = out, [], {}

    def learnt(self, step, nll, rate):
        self.pages.append(("learnt", step))

    def validated(self, step, nll, tracks, best):
        self.pages.append(("validated, best" if best else "validated", step))

    def stepped(self, step, last):
        self.pages.append(("stepped, last" if last else "stepped", step))

    def previewed(self, step, folder, verdicts):
        self.pages.append(("previewed", step))

    def saving(self, step):
        self.pages.append(("saving", step))
        self.before[step] = checkpoint.steps(self.out / "checkpoints")

    def judged(self, step, best, nll, tracks):
        self.pages.append(("judged", step))

    def close(self):
        self.pages.append(("close", 0))


@pytest.fixture
def kept_diary(monkeypatch, tmp_path):
    """A diary that listens before everyone else to the run in "run"."""
    diary = Diary(tmp_path / "run")
    monkeypatch.setattr(loop, "Listeners", lambda: Listeners(diary))
    return diary


@pytest.fixture(scope="module")
def data():
    return dataset(RATE, (9000, 7000), (6000, 5000))


def events(diary, step):
    return [event for event, at in diary.pages if at == step]


def test_what_happens_in_which_order(data, kept_diary):
    """Validation every 2 steps, a save every 5, previews every 3, and all of it in the last step, the seventh."""
    run = trained(data, kept_diary.out, steps=7, **{"train.preview_every": 3, "train.checkpoint_every": 5})
    plain, validated = ["learnt", "stepped"], ["learnt", "validated", "stepped"]
    assert [events(kept_diary, step) for step in (1, 2, 4)] == [plain, validated, validated]
    assert events(kept_diary, 3) == [*plain, "previewed"]
    assert events(kept_diary, 5) == ["learnt", "validated, best", "stepped", "saving"], "before every save"
    assert events(kept_diary, 6) == [*validated, "previewed"], "the lowest so far or not, it is no checkpoint"
    last = [event.removesuffix(", best") for event in events(kept_diary, 7)]
    assert last == ["learnt", "validated", "stepped, last", "previewed", "saving", "judged"]
    assert [event for event, _ in kept_diary.pages].index("close") == len(kept_diary.pages) - 1
    assert kept_diary.before == {5: [], 7: [5]}, "a save is announced before it"
    assert run.step == 7


def test_who_asks_to_stop_gets_a_save_and_no_verdict(data, kept_diary):
    """After the step in which it was asked: one save, whether or not one was due."""
    for stop, wanted in ((3, ["learnt", "stepped", "saving"]), (8, ["learnt", "validated", "stepped", "saving"])):
        kept_diary.pages.clear()
        kept_diary.learnt = lambda step, nll, rate, stop=stop: (
            kept_diary.pages.append(("learnt", step)),
            step == stop - 1 and os.kill(os.getpid(), signal.SIGTERM),
        )
        with pytest.raises(KeyboardInterrupt):
            trained(data, kept_diary.out)
        assert [event.removesuffix(", best") for event in events(kept_diary, stop)] == wanted
        assert kept_diary.pages[-2:] == [("saving", stop), ("close", 0)]
        assert checkpoint.steps(kept_diary.out / "checkpoints")[-1] == stop
