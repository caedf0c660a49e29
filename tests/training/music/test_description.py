"""A pack says what the songs were like that it learnt from, in a few numbers."""

import math

import pytest

import sharks
from made_songs import dataset
from sharks.sound import character
from sharks.training.music.description import STRETCHES, description
from small_runs import RATE, trained


def test_a_trained_pack_describes_its_songs(tmp_path):
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    songs = dataset(RATE, (20 * RATE, 9 * RATE), (5 * RATE,))
    run = trained(songs, tmp_path / "run", steps=4)
    said = sharks.load(run.path).about["sound"]
    assert said == description(songs) and character.is_description(said)
    starts = 0, len(songs.train) // 2 - 4 * RATE, len(songs.train) - 8 * RATE
    stretches = [songs.train[start : start + 8 * RATE] / 32768 for start in starts]
    assert said == character.describe(stretches, RATE)


def test_too_little_music_is_not_described(tmp_path):
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    assert description(dataset(RATE, (8 * RATE - 1,))) == {} != description(dataset(RATE, (8 * RATE,)))
    run = trained(dataset(RATE, (5 * RATE,), (2 * RATE,)), tmp_path / "run", steps=4)
    assert "sound" not in sharks.load(run.path).about


def test_an_hour_is_heard_in_a_few_stretches(monkeypatch):
    heard = []
    monkeypatch.setattr("sharks.training.music.description.describe", lambda some, rate: heard.extend(map(len, some)))
    description(dataset(RATE, (3600 * RATE,)))
    assert heard == [8 * RATE] * STRETCHES


def test_unlikeness_is_counted_in_the_songs_own_spread():
    songs = {name: [2.0, 0.5] for name in character.MEASURES}
    mean = [2.0] * len(character.MEASURES)
    assert character.unlikeness(mean, songs) == 0
    assert character.unlikeness([2.5, *mean[1:]], songs) == pytest.approx(1 / 8), "a beat counts as much as all colour"
    even = {name: [2.0, 0.0] for name in character.MEASURES}
    assert math.isfinite(character.unlikeness([9.0, *mean[1:]], even))
