"""How often health notices that music ends, and how often it errs: some minutes on two cores.

    python -m pytest tests/soak/test_collapses.py

The limits in sound/collapse.py were chosen on two of the four example songs and on clips of the model in the box; the
figures of songs here are those of the other two. A collapse counts as found where its second is right to half a second.
"""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Iterable

import numpy as np
import pytest

import sharks
from collapsing import KINDS, planted
from sharks.projects.demo import box
from sharks.sound.health import health
from sharks.sound.reading import read_audio

SONGS = pathlib.Path(__file__).parents[2] / "examples" / "muldjord"
HELD_OUT = "chaos_god", "mutilated_mime"  # of choosing the limits
SECONDS, CLIPS = 10, 100
FOUND = 0.95
REFUSED = {8000: 0.05, 16000: 0.02, 44100: 0.02}  # by the rate; at 8 kHz half of what tells music from hiss is missing


def windows(rate: int, seconds: int) -> list[np.ndarray]:
    """The held-out songs in stretches of so many seconds, side by side."""
    songs = [read_audio(SONGS / f"{name}.ogg", rate)[0].mean(axis=0) for name in HELD_OUT]
    length = seconds * rate
    return [song[start : start + length] for song in songs for start in range(0, len(song) - length + 1, length)]


def shares(clips: Iterable[np.ndarray], rate: int) -> tuple[float, str]:
    """The share of planted collapses that are found, and the shares of each kind as a text."""
    found, tried = collections.Counter(), collections.Counter()
    for clip in planted(list(clips), rate):
        tried[clip.kind] += 1
        found[clip.kind] += clip.is_found(health(clip.samples, rate).collapse)
    each = ", ".join(f"{kind} {found[kind] / tried[kind]:.1%}" for kind in KINDS)
    return sum(found.values()) / sum(tried.values()), f"of {sum(tried.values()):,}: {each}"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_collapses_of_songs(rate, figure):
    clips = windows(rate, SECONDS)
    share, each = shares(clips, rate)
    figure(f"collapses of songs at {rate} Hz found", f"{share:.1%} {each}")
    assert share >= FOUND


@pytest.mark.timeout(1800)
def test_collapses_of_a_hundred_clips_of_a_trained_pack(figure):
    pack = box()
    audio = sharks.generate(pack, SECONDS, CLIPS, seed=11, device="cpu")
    clips = [clip[0] for clip in audio.samples]
    bad = [verdict for clip in clips if (verdict := health(clip, audio.sample_rate).verdict) != "ok"]
    figure("clips of the box refused as they are", f"{len(bad)} of {CLIPS} {bad}")
    share, each = shares(clips, audio.sample_rate)
    figure("collapses of clips of the box found", f"{share:.1%} {each}")
    assert share >= FOUND


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rate", REFUSED)
@pytest.mark.parametrize("seconds", [4, 10, 20])
def test_songs_are_left_in_peace(rate, seconds, figure):
    clips = windows(rate, seconds)
    bad = [verdict for clip in clips if (verdict := health(clip, rate).verdict) != "ok"]
    figure(f"stretches of {seconds} s at {rate} Hz refused", f"{len(bad)} of {len(clips)} {bad}")
    assert len(bad) <= REFUSED[rate] * len(clips)
