"""The smoke test passes where learning works, and fails, with advice, where it cannot."""

import numpy as np
import pytest

from made_songs import dataset
from sharks.errors import Error
from sharks.training import by_heart, smoke
from small_runs import RATE, SMALL

LITTLE = SMALL | {"model.dim": 32, "train.learning_rate": 1e-2, "train.batch": 8}


def learnt(data, minutes=2.0, **settings):
    return smoke(data, "dadabots-2tier-tiny", minutes=minutes, **(LITTLE | settings))


def test_two_seconds_are_learnt_by_heart(monkeypatch):
    monkeypatch.setattr(by_heart, "WANTED", 4.5)
    found = learnt(dataset(RATE, (9000, 12000)))
    assert found.passed and found.nll < 4.5 < found.order0 and found.track == "train1.wav" and found.steps > 20
    assert "data and settings work" in str(found)


def test_an_equaliser_is_left_out(monkeypatch):
    """Through another one every time there would be nothing to learn by heart."""
    heard, real = [], by_heart.Training
    monkeypatch.setattr(by_heart, "Training", lambda *given: heard.append(real(*given)) or heard[-1])
    monkeypatch.setattr(by_heart, "WANTED", 8.5)  # reached at once
    for decibels in (0.0, 12.0):
        learnt(dataset(RATE, (9000,)), **{"data.equaliser_db": decibels})
    assert np.array_equal(heard[0].at(3).levels, heard[1].at(3).levels)


def test_what_cannot_learn_is_told_so():
    with pytest.raises(Error, match=r"smoke: 2 s of train0.wav still cost .* wanted below 1; try a lower"):
        learnt(dataset(RATE, (9000,)), minutes=0.02, **{"train.learning_rate": 1e-9})


def test_the_excerpt_is_the_middle_of_the_longest_song():
    data = dataset(RATE, (3000, 9000))
    only, name = by_heart.excerpt(data)
    assert name == "train1.wav" and len(only.train) == 2 * RATE
    assert np.array_equal(only.train, data.train[3000 + 2500 : 3000 + 6500])
    assert only.of("val") == () and only.of("train")[0].length == 4000
