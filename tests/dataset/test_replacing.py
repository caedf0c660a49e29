"""A dataset is not written over while somebody needs it, and two musics of one name stay two."""

import shutil

import numpy as np
import pytest

import sharks
from sharks.dataset.dataset import load_dataset
from sharks.dataset.replacing import dependents
from sharks.errors import UsageError
from sharks.sound.wav import write_wav

RATE = 16000


def song(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.3 * np.random.default_rng(seed).standard_normal(3 * RATE).clip(-1, 1)
    write_wav(path, noise.astype(np.float32), RATE)


@pytest.fixture
def music(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in range(2):
        song(tmp_path / "music" / f"song{seed}.wav", seed)
    return tmp_path / "music"


def run_of(folder, data):
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'[run]\npreset = "x"\ndataset = "{data.fingerprint}"\n')


def test_a_dataset_that_a_run_learnt_from_stays(music, tmp_path):
    data = sharks.prepare(music, tmp_path / "project" / "data")
    run_of(tmp_path / "project" / "run", data)
    song(music / "a new one.wav", 5)
    before = {path.name: path.read_bytes() for path in (tmp_path / "project" / "data").iterdir()}
    with pytest.raises(UsageError, match=r"\(1 more now: a new one.wav\): \S+/run learnt from it and could not"):
        sharks.prepare(music, tmp_path / "project" / "data")
    after = {path.name: path.read_bytes() for path in (tmp_path / "project" / "data").iterdir()}
    assert after == before, "it is as it was"
    assert len(sharks.prepare(music, tmp_path / "project" / "data", replace=True).tracks) == 3


@pytest.mark.parametrize("place", ["runs/night", "data/run", "data/runs/x", "data/run-2"])
def test_runs_are_found_where_sharks_puts_them(music, tmp_path, place):
    data = sharks.prepare(music, tmp_path / "data" / "music")
    assert dependents(data.path, data.fingerprint) == []
    run_of(tmp_path / place, data)
    (found,) = dependents(data.path, data.fingerprint)
    assert found.resolve() == tmp_path / place
    assert dependents(data.path, "another") == []


def test_a_dataset_nobody_learnt_from_follows_its_folder(music, tmp_path):
    sharks.prepare(music, tmp_path / "data")
    song(music / "a new one.wav", 5)
    assert len(sharks.prepare(music, tmp_path / "data").tracks) == 3


def test_other_music_of_the_same_name_does_not_replace_it(tmp_path):
    for i, home in enumerate(("A", "B")):
        song(tmp_path / home / "take.wav", i)
    before = sharks.prepare(tmp_path / "A" / "take.wav", tmp_path / "data")
    with pytest.raises(UsageError, match=r"same names, other samples.*was made from .*A/take.wav.*--replace"):
        sharks.prepare(tmp_path / "B" / "take.wav", tmp_path / "data")
    assert load_dataset(tmp_path / "data").fingerprint == before.fingerprint


def test_a_folder_that_moved_is_the_same_music(music, tmp_path):
    before = sharks.prepare(music, tmp_path / "data")
    run_of(tmp_path / "runs" / "x", before)
    shutil.move(music, tmp_path / "elsewhere")
    assert sharks.prepare(tmp_path / "elsewhere", tmp_path / "data").fingerprint == before.fingerprint


def test_who_is_asked_decides(music, tmp_path):
    sharks.prepare(music, tmp_path / "data")
    song(tmp_path / "other" / "x.wav", 9)
    asked = []

    def answer(sentence):
        asked.append(sentence)
        return len(asked) > 1

    with pytest.raises(UsageError, match="2 fewer now: song0.wav, song1.wav"):
        sharks.prepare(tmp_path / "other", tmp_path / "data", replace=answer)
    sharks.prepare(tmp_path / "other", tmp_path / "data", replace=answer)
    assert len(asked) == 2 and asked[0] == asked[1] and "choose another" not in asked[0]
    assert {track.name for track in load_dataset(tmp_path / "data").tracks} == {"x.wav"}


# Names


def test_the_same_song_in_two_folders_of_one_name_is_learnt_once(tmp_path):
    for home in ("A", "B"):
        for i in range(2):
            song(tmp_path / home / "songs" / f"s{i}.wav", i)
    data = sharks.prepare([tmp_path / "A" / "songs", tmp_path / "B" / "songs"], tmp_path / "data")
    assert sorted(track.name for track in data.tracks) == ["A/songs/s0.wav", "A/songs/s1.wav"]
    assert dict(data.skipped) == {f"B/songs/s{i}.wav": f"the same samples as A/songs/s{i}.wav" for i in range(2)}


def test_files_of_one_name_are_told_apart(tmp_path):
    for i, home in enumerate("AB"):
        song(tmp_path / home / "take.wav", i)
    data = sharks.prepare([tmp_path / home / "take.wav" for home in "AB"], tmp_path / "data")
    assert sorted(track.name for track in data.tracks) == ["A/take.wav", "B/take.wav"]


def test_one_file_named_twice_is_one_song(tmp_path):
    song(tmp_path / "take.wav", 0)
    data = sharks.prepare([tmp_path / "take.wav"] * 2, tmp_path / "data")
    assert {track.name for track in data.tracks} == {"take.wav"}
    assert dict(data.skipped) == {"take.wav": "the same samples as take.wav"}
