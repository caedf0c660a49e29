"""The split holds out whole songs, about as much as was asked, and never everything."""

import pathlib

import numpy as np
import pytest

from sharks.dataset.pieces import Piece
from sharks.dataset.split import hold_out, split
from sharks.errors import UsageError


def songs(*lengths, channels=1):
    return [
        [
            Piece(f"{k}.wav", f"{k}.wav {c}", pathlib.Path("x"), {"length": length, "sha256": f"{k} {c}"})
            for c in range(channels)
        ]
        for k, length in enumerate(lengths)
    ]


def test_about_the_fraction_and_at_least_one_song():
    random = np.random.default_rng(0)
    for _ in range(300):
        lengths = random.integers(50, 400, random.integers(2, 30)).tolist()
        fraction = random.uniform(0.02, 0.5)
        held = hold_out(lengths, fraction, random.permutation(len(lengths)).tolist())
        total = sum(lengths[number] for number in held)
        assert 1 <= len(held) < len(lengths)
        assert total <= 1.5 * fraction * sum(lengths) or [total] == [min(lengths)]


@pytest.mark.parametrize("lengths", [(100, 90), (5000, 80, 90), (100, 100, 100, 99)])
def test_where_none_fits_the_shortest_is_held_out(lengths):
    assert hold_out(list(lengths), 0.01, range(len(lengths))) == {lengths.index(min(lengths))}


def test_the_order_decides_among_equals():
    assert hold_out([100] * 10, 0.2, range(10)) == {0, 1}
    assert hold_out([100] * 10, 0.2, range(9, -1, -1)) == {8, 9}
    assert hold_out([900] + [100] * 9, 0.2, range(10)) == {1, 2, 3, 4}  # the long one would not fit


def test_channels_stay_together_and_every_sample_is_used_once():
    shares = split(songs(100, 200, 300, 400, channels=3), 0.3, (), [])
    assert {(share.piece.name, share.first, share.last) for share in shares} == {
        (f"{k}.wav {c}", 0, 100 * k + 100) for k in range(4) for c in range(3)
    }
    for k in range(4):
        assert len({share.split for share in shares if share.piece.song == f"{k}.wav"}) == 1


def test_an_only_song_is_parted_in_every_channel():
    shares = split(songs(1000, channels=2), 0.06, (), [])
    assert [(share.split, share.first, share.last) for share in shares] == [("train", 0, 900), ("val", 900, 1000)] * 2
    assert [share.split for share in split(songs(1000), 0, (), [])] == ["train"]


def test_names():
    assert [share.split for share in split(songs(9, 9, 9), 0, ["1"], [])] == ["train", "val", "train"]
    with pytest.raises(UsageError, match="silent"):
        split(songs(9, 9), 0.5, ["song"], [("album/song.wav channel 1", "silent")])
    with pytest.raises(UsageError, match="every song"):
        split(songs(9, 9), 0.5, ["0", "1.wav"], [])
