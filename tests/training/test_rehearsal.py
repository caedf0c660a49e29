"""What is found out before a training starts, and what must not be hidden by it."""

import types

import pytest

from sharks.errors import ResourceError, UsageError
from sharks.recipes.presets import recipe
from sharks.training import rehearsal
from sharks.training.watch import previews

JOB = types.SimpleNamespace(recipe=recipe("dadabots-2tier-tiny"), seed=0)


def test_a_pack_that_cannot_be_made_is_told_before_the_first_step():
    """Else it is told by the first checkpoint, when hours of training cannot be saved."""

    def pack():
        raise UsageError("about takes 83440 bytes")

    with pytest.raises(UsageError, match="83440"):
        rehearsal._seconds_to_preview(JOB, pack)


def test_a_preview_that_fails_stops_no_training(monkeypatch):
    def rehearse(*_):
        raise ResourceError("no memory for previews")

    monkeypatch.setattr(previews, "rehearse", rehearse)
    assert rehearsal._seconds_to_preview(JOB, lambda: None) == 0.0
    monkeypatch.setattr(previews, "rehearse", lambda *_: 3.0)
    assert rehearsal._seconds_to_preview(JOB, lambda: None) == 3.0
