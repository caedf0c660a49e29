"""What sharks made is no music to learn from, wherever it lies and whatever it is called."""

import json
import shutil

import numpy as np
import pytest

import sharks
from sharks.clips import wavs
from sharks.dataset import own_work
from sharks.dataset.sources import find_sources
from sharks.projects import page
from sharks.songs import cutlist
from sharks.sound.wav import write_wav
from sharks.training.run import rundir

RATE = 16000


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    for i in range(2):
        noise = 0.3 * np.random.default_rng(i).standard_normal(3 * RATE).clip(-1, 1)
        write_wav(folder / f"song{i}.wav", noise.astype(np.float32), RATE)
    return folder


@pytest.fixture(scope="module")
def pack():
    return sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(4,), dim=8, embed_dim=4))


def found(music):
    """What there is to be said of each file: empty where it is music."""
    return {source.name: source.problem for source in find_sources([music], music / "nowhere")}


SONGS = {"song0.wav": "", "song1.wav": ""}
NO_MUSIC = "that sharks made: no music to learn from"


def test_clips_are_not_songs(music, pack):
    primer = 0.5 * np.sin(np.arange(RATE) / 9).astype(np.float32)
    sharks.generate(pack, 0.1, 3, seed=1, out=music / "deep" / "er" / "out", prime=primer, prime_rate=RATE)
    assert (music / "deep/er/out/primers").is_dir()
    assert found(music) == {**SONGS, "deep/er/out": f"3 clips {NO_MUSIC}"}


def test_a_song_of_ones_own_among_clips_is_music(music, pack):
    sharks.generate(pack, 0.1, 2, seed=1, out=music / "out")
    shutil.copy(music / "song0.wav", music / "out" / "mine.wav")
    assert found(music) == {**SONGS, "out": f"2 clips {NO_MUSIC}", "out/mine.wav": ""}


def test_clips_in_the_music_folder_itself(music, pack):
    sharks.generate(pack, 0.1, 2, seed=1, out=music)
    assert found(music) == {**SONGS, "music": f"2 clips {NO_MUSIC}"}


def test_curated_songs_are_not_songs_to_learn_from(music):
    (music / "album").mkdir()
    for name in cutlist.names(2):
        shutil.copy(music / "song0.wav", music / "album" / name)
    (music / "album" / page.FILES).mkdir()
    shutil.copy(music / "song0.wav", music / "album" / page.FILES / "original.wav")  # beside them, on their page
    cutlist.write(music / "album", [{"file": name} for name in cutlist.names(2)], [], [])
    assert found(music) == {**SONGS, "album": f"2 songs {NO_MUSIC}"}


def test_datasets_and_runs_are_not_entered(music):
    data = sharks.prepare(music, music / "x" / "data")
    run = music / "x" / "night"
    (run / "previews" / "7").mkdir(parents=True)
    shutil.copy(music / "song0.wav", run / "previews" / "7" / "00.wav")
    assert found(music) == {
        **SONGS,
        "x/data": f"a dataset {NO_MUSIC}",
        "x/night/previews/7/00.wav": "",  # nothing says yet that this is a run
    }
    (run / rundir.CONFIG).write_text('[run]\npreset = "x"\n')
    (run / rundir.LOG).touch()
    assert found(music)["x/night"] == "a training run of sharks: no music to learn from"
    assert not any(name.startswith("x/night/") for name in found(music))
    again = sharks.prepare(music, music / "x" / "data")  # though there is more of ours beside it now
    assert again.fingerprint == data.fingerprint


def test_a_dataset_is_the_same_with_clips_beside_its_songs(music, pack, tmp_path):
    before = sharks.prepare(music, tmp_path / "data")
    sharks.generate(pack, 1.0, 3, seed=1, out=music / "out")
    made = (tmp_path / "data" / "dataset.json").stat().st_mtime_ns
    assert sharks.prepare(music, tmp_path / "data").fingerprint == before.fingerprint
    assert (tmp_path / "data" / "dataset.json").stat().st_mtime_ns == made, "there was nothing to do"
    fresh = sharks.prepare(music, tmp_path / "fresh")
    assert fresh.fingerprint == before.fingerprint
    assert dict(fresh.skipped) == {"out": f"3 clips {NO_MUSIC}"} and "3 clips" in fresh.report()


def test_a_clip_that_is_named_outright_is_taken(music, pack):
    sharks.generate(pack, 0.1, 1, seed=1, out=music / "out")
    (source,) = find_sources([music / "out" / "0000.wav"], music / "nowhere")
    assert source.problem == ""


@pytest.mark.parametrize(
    "name, text",
    [
        ("manifest.jsonl", "not json\n"),
        ("cuts.json", json.dumps({"songs": [{"file": 3}, "x"]})),
        ("cuts.json", "[]"),
        ("config.toml", "[run]\n"),
        ("dataset.json", "{}"),
    ],
)
def test_what_only_looks_like_ours_hides_nothing(music, name, text):
    (music / name).write_text(text)
    assert SONGS.items() <= found(music).items()


def test_the_names_are_those_of_the_rooms_that_write_them(tmp_path):
    assert own_work.CUTS == cutlist.NAME and own_work.CONFIG == rundir.CONFIG
    assert {rundir.LOG, rundir.ENVIRONMENT, rundir.CHECKPOINTS} == set(own_work.BESIDE_CONFIG)
    assert wavs.primer_path(tmp_path, "x").parent == tmp_path / own_work.PRIMERS
    assert own_work.PAGE_FILES == page.FILES
