"""What counts as a clip: what holds sound, as for `prepare`, and what its name says is sound, so that it is missed."""

import json
import os

import numpy as np
import pytest

import odd_audio
import sharks
import spoilt
from sharks.errors import AudioError
from sharks.songs import _find
from sharks.sound.reading import Decoder
from sharks.sound.wav import write_wav

RATE = 16000


def music(seconds, seed=0):
    return spoilt.music(np.random.default_rng(seed), seconds * RATE, RATE).astype(np.float32)


def found(folder):
    with Decoder() as decoder:
        return [file.name for file in _find(folder, decoder)[1]]


FORMATS = [
    ("b.w64", "W64", None),
    ("c.caf", "CAF", None),
    ("d.aifc", "AIFF", None),
    ("e.oga", "OGG", "VORBIS"),
    ("f.au", "AU", None),
    ("no suffix", "FLAC", None),
    ("g.WAV", "WAV", "FLOAT"),
]


def test_every_format_becomes_a_song(tmp_path):
    (tmp_path / "clips").mkdir()
    for seed, (name, form, subtype) in enumerate(FORMATS):
        (tmp_path / "clips" / name).write_bytes(odd_audio.encode(music(5, seed), form, subtype))
    album = sharks.curate(tmp_path / "clips", tmp_path / "out", minutes=(0.1, 2))
    (song,) = json.loads((tmp_path / "out" / "cuts.json").read_text())["songs"]
    assert {row["clip"] for row in song["cuts"]} | {row.clip for row in album.dropped} == {row[0] for row in FORMATS}
    assert len(song["cuts"]) == album.clips == len(FORMATS)


def test_what_is_no_sound_is_no_clip(tmp_path):
    write_wav(tmp_path / "a.wav", music(5), RATE)
    for name in ("manifest.jsonl", "cover.png", "0000.state.safetensors", "notes"):
        (tmp_path / name).write_text("no sound")
    (tmp_path / "primers").mkdir()
    (tmp_path / ".b.wav.unfinished").write_bytes((tmp_path / "a.wav").read_bytes())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    assert found(tmp_path) == ["a.wav"]


def test_what_its_name_says_is_sound_is_named_where_it_is_not(tmp_path):
    write_wav(tmp_path / "a.wav", music(5), RATE)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    (tmp_path / "phone").write_bytes(b"\0\0\0 ftypM4A \0\0\0\0M4A mp42isom" + bytes(5000))
    album = sharks.curate(tmp_path, minutes=(0.05, 2))
    reasons = {row.clip: row.reason for row in album.dropped}
    assert reasons["b.wav"] == "not audio that can be read" and "M4A" in reasons["phone"]
    assert set(reasons) == {"b.wav", "phone"}


def test_a_loud_float_clip_is_turned_down_and_used(tmp_path):
    (tmp_path / "a.wav").write_bytes(odd_audio.encode(music(6) * np.float32(20), "WAV", "FLOAT"))
    assert not sharks.curate(tmp_path, minutes=(0.05, 2)).dropped


def test_folders_that_hold_no_clip_are_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(AudioError, match="holds no clips"):
        sharks.curate(tmp_path)
    with pytest.raises(AudioError, match="is not a folder"):
        sharks.curate(tmp_path / "nowhere")
    with pytest.raises(AudioError, match="is not a folder"):
        sharks.curate(tmp_path / ("x" * 300))

    def closed(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("pathlib.Path.iterdir", closed)
    with pytest.raises(AudioError, match=r"cannot be listed \(Permission denied\); check its permissions"):
        sharks.curate(tmp_path)
