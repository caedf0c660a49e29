"""The table of figures: a row for all, for each file, for the album, and for noise."""

import json
import pathlib
import sys

import numpy as np
import pytest

from made_songs import music as tune
from sharks.sound.wav import write_wav

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import music as bench_music  # noqa: E402


@pytest.fixture
def album(tmp_path):
    (tmp_path / "album").mkdir()
    for number in range(3):
        write_wav(tmp_path / "album" / f"song{number}.wav", tune(12.0, number), 16000)
    write_wav(tmp_path / "clip.wav", 0.5 * np.tile(tune(12.0, 0)[48000:144000], 2), 16000)
    write_wav(tmp_path / "other.wav", tune(12.0, 9), 16000)
    (tmp_path / "album" / "LICENSE.txt").write_text("free")
    return tmp_path


def run(album, monkeypatch, capsys, *options):
    files = [str(album / name) for name in ("clip.wav", "other.wav")]
    held = ["--album", str(album / "album"), "--held", str(album / "album" / "song2.wav")]
    monkeypatch.setattr(sys, "argv", ["music.py", *files, *held, *options])
    bench_music.main()
    return capsys.readouterr().out


def test_a_table_for_people(album, monkeypatch, capsys):
    lines = run(album, monkeypatch, capsys).splitlines()
    names = [line.split("|")[1].strip() for line in lines]
    assert names == [
        *("", "---", "all files", "clip.wav", "other.wav"),
        *("held out: song2.wav", "album: song0.wav", "album: song1.wav", "white noise"),
    ]
    assert len({line.count("|") for line in lines}) == 1


def test_a_table_for_machines_in_which_a_copy_is_plain(album, monkeypatch, capsys):
    rows = {row["name"]: row for row in json.loads(run(album, monkeypatch, capsys, "--json"))}
    assert rows["all files"]["seconds"] == 24
    assert rows["held out: song2.wav"]["distance"] == pytest.approx(0, abs=1e-6)
    assert rows["clip.wav"]["copying"][1] < 2.2 < 3 < rows["other.wav"]["copying"][1]
    assert rows["white noise"]["distance"] > rows["other.wav"]["distance"]
