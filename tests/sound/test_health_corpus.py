"""The detectors on five hundred made clips and on real music: 95 of 100 are found, 2 of 100 blamed wrongly at most."""

import collections
import pathlib

import numpy as np
import pytest

from sharks.sound.health import health
from sharks.sound.reading import read_audio
from spoilt import KINDS, corpus, music

RATE, SECONDS, EACH = 16000, 5.0, 72  # of each of seven kinds: 504 spoilt clips; and as many of made music
SONGS = sorted((pathlib.Path(__file__).parents[2] / "examples" / "muldjord").glob("*.ogg"))


@pytest.fixture(scope="module")
def songs():
    return [read_audio(path, RATE)[0].mean(axis=0) for path in SONGS]


@pytest.mark.slow
def test_recall_and_false_alarms(songs):
    """Found means: that kind is among the problems; a clip counts as noticed if anything is."""
    found, noticed, missed = collections.Counter(), collections.Counter(), []
    clips = 0
    for kind, clip in corpus(EACH, SECONDS, RATE, songs):
        problems = health(clip, RATE).problems
        clips += 1
        noticed[kind] += bool(problems)
        found[kind] += any(problem.startswith(kind) for problem in problems)
        if not problems:
            missed.append((kind, health(clip, RATE).to_dict()))
    random = np.random.default_rng(1)
    made = [health(music(random, round(SECONDS * RATE), RATE), RATE).verdict for _ in range(EACH)]
    assert clips >= 500
    shares = {kind: f"{found[kind] / EACH:.0%} by name, {noticed[kind] / EACH:.0%} at all" for kind in KINDS}
    print(shares)
    assert sum(noticed.values()) / clips >= 0.95 and min(noticed.values()) / EACH >= 0.9, (shares, missed[:5])
    assert sum(found.values()) / clips >= 0.95, "by their names"
    assert min(found.values()) / EACH >= 0.9, shares
    assert sum(verdict != "ok" for verdict in made) / len(made) <= 0.02, collections.Counter(made)


@pytest.mark.slow
@pytest.mark.skipif(len(SONGS) != 4, reason="the four example songs are not here")
def test_false_alarms_on_every_window_of_the_songs(songs):
    length = round(SECONDS * RATE)
    verdicts = {
        (path.name, start / RATE): health(song[start : start + length], RATE).verdict
        for path, song in zip(SONGS, songs, strict=True)
        for start in range(0, len(song) - length, length)
    }
    alarms = {where: verdict for where, verdict in verdicts.items() if verdict != "ok"}
    assert len(verdicts) > 150 and len(alarms) <= 0.02 * len(verdicts), alarms
