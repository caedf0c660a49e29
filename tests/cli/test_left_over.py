"""What is not in a song is named with its reason; what is merely left over, counted."""

import types

from sharks.cli import walk
from sharks.songs.cut import Dropped
from sharks.songs.song import LEFT_OVER


def said(*dropped):
    return walk._dropped(types.SimpleNamespace(dropped=dropped))


def test_faults_are_named_and_what_is_left_over_is_counted():
    fault = Dropped("0003.wav", "noise: its spectrum is flat", (0.0, 2.5))
    left = [Dropped(f"{n:04d}.wav", LEFT_OVER, (0.0, 10.0)) for n in range(40)]
    assert said(left[0], fault, *left[1:]) == [str(fault), f"40 cuts of good clips: {LEFT_OVER}"]
    assert said(left[0]) == [f"1 cut of good clips: {LEFT_OVER}"]
    assert said(fault) == [str(fault)] and said() == []
