"""The whole walk: each step leaves what the next needs, and none is taken twice."""

import dataclasses
import json
import types

import numpy as np
import pytest

import sharks
from sharks.clips import manifest
from sharks.errors import AudioError
from sharks.projects.make import AMPLE, MOST_ROUNDS, SPARE, Playing, dataset_of, make, of_the_data, play
from sharks.sound.wav import write_wav

RATE = 16000


def music(seconds, seed):
    """Notes over a beat, which `health` takes for music."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    notes = np.repeat(110 * 2 ** (rng.integers(0, 24, round(4 * seconds)) / 12), RATE // 4)
    tone = 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time % 0.25))
    return tone + 0.1 * rng.standard_normal(len(time)) * np.exp(-40 * (time % 0.5))


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
    }


def test_a_song_needs_more_clips_than_it_is_long():
    playing = Playing(songs=2, minutes=(1, 2), clip_seconds=10)
    assert playing.clips * playing.clip_seconds == SPARE * 2 * 2 * 60
    assert dataclasses.replace(playing, clip_seconds=7).clips * 7 >= SPARE * 2 * 2 * 60


def test_where_clips_cost_next_to_nothing_many_are_played_and_the_best_chosen():
    playing = Playing(songs=2, minutes=(1, 2), clip_seconds=10)
    codes = sharks.random_pack(sharks.CodesSpec(hidden=8, width=8, books=2, q_levels=8))
    assert playing.clips_of(codes) == AMPLE * 24 > playing.clips
    assert playing.clips_of(sharks.random_pack(sharks.SampleRNNSpec(dim=8, embed_dim=4))) == playing.clips


SMALL = {
    "model.dim": 16,
    "model.embed_dim": 4,
    "train.batch": 2,
    "train.chunk_len": 64,
    "train.preview_seconds": 0.1,
    "train.validate_seconds": 1.0,
}
SHORT = Playing(minutes=(0.05, 0.05), clip_seconds=2.0, seed=5)


def make_little(tmp_path, told, steps=2):
    """As far as a training of two steps leads."""
    pytest.importorskip("torch", reason="training needs torch, which is not installed")
    if not (tmp_path / "songs").exists():
        (tmp_path / "songs").mkdir()
        for i in range(2):
            write_wav(tmp_path / "songs" / f"{i}.wav", music(20, i), RATE)
    make(
        *(tmp_path / "songs", tmp_path / "project"),
        preset="dadabots-2tier-tiny",
        playing=SHORT,
        steps=steps,
        device="cpu",
        tell=told.append,
        **SMALL,
    )


def steps_of(told):
    return [line.split()[:2] for line in told if line[1:3] == "/4"]


def test_make_goes_all_the_way_and_not_twice(tmp_path, monkeypatch):
    """Two steps of training make noise, so the walk ends before the song; all before it is there, and stays."""
    monkeypatch.setattr("sharks.projects.make.LEARNT", -8.0)  # bits: whatever it says of itself, it is played
    told = []
    for _ in range(2):
        with pytest.raises(AudioError, match=r"none of 3 clips can be used \(3 noise\); train the model for longer"):
            make_little(tmp_path, told)
        made = files(tmp_path / "project")
        if _ == 0:
            first = made
    assert {"data/dataset.json", "run/best.safetensors", "clips/0000.wav", "clips/0002.wav"} <= made.keys()
    kept = {name for name in made if name.startswith(("data/", "clips/")) or name == "run/best.safetensors"}
    assert {name: first[name] for name in kept} == {name: made[name] for name in kept}
    assert {row.seed for row in manifest.read(tmp_path / "project" / "clips").values()} == {5}
    assert steps_of(told) == [["1/4", "prepare"], ["2/4", "train"], ["3/4", "generate"]] * 2
    assert not (tmp_path / "project" / "song.wav").exists()


def test_what_is_set_of_the_data_is_heard_when_it_is_prepared(tmp_path):
    """The rate, what is held out and how ends are trimmed decide the dataset, not only the training."""
    for i in range(4):
        (tmp_path / "songs").mkdir(exist_ok=True)
        write_wav(tmp_path / "songs" / f"{i}.wav", music(10, i), RATE)
    usual = dataset_of(tmp_path / "songs", tmp_path / "usual", "dadabots-2tier-tiny", {"train.batch": 2})
    assert (usual.sample_rate, len(usual.of("val"))) == (16000, 1)
    changes = {"model.sample_rate": 8000, "data.val_fraction": 0.5, "train.batch": 2}
    changed = dataset_of(tmp_path / "songs", tmp_path / "changed", "dadabots-2tier-tiny", changes)
    assert (changed.sample_rate, len(changed.of("val"))) == (8000, 2)
    assert of_the_data("dadabots-2tier-tiny", {"data.trim_db": -20.0}) == {"trim_db": -20.0}
    assert of_the_data("dadabots-2tier-tiny", {"data.trim_db": float("-inf")}) == {"trim_db": -60.0}
    with pytest.raises(sharks.UsageError, match="val_fraction is 5"):
        of_the_data("dadabots-2tier-tiny", {"data.val_fraction": 5.0})


def test_a_model_that_has_learnt_nothing_is_not_played_and_learns_on(tmp_path):
    """What is there stays, and the same call with more steps begins where the last one ended."""
    told = []
    for steps in (2, 3):
        with pytest.raises(AudioError, match="has learnt nothing yet: .* wanted .* or less; train the model") as error:
            make_little(tmp_path, told, steps)
        assert error.value.exit_code == 3
        rows = [json.loads(line) for line in (tmp_path / "project" / "run" / "log.jsonl").read_text().splitlines()]
        assert max(row["step"] for row in rows) == steps
    assert [row["step"] for row in rows if "nll" in row] == [1, 2, 3]
    assert steps_of(told) == [["1/4", "prepare"], ["2/4", "train"]] * 2
    assert not (tmp_path / "project" / "clips").exists()


@pytest.mark.parametrize("better, learnt", [(0.0999, False), (0.1001, True)])
def test_what_was_learnt_is_told_by_bits_under_guessing(better, learnt, pack, tmp_path):
    about = {"nll_bits": 7.5 - better, "order0_bits": 7.5}
    sharks.Pack(pack.spec, pack.tensors, about=about).save(tmp_path / "said.safetensors")
    with pytest.raises(AudioError) as error:
        play(tmp_path / "said.safetensors", tmp_path / "project", playing=SHORT)
    assert ("has learnt nothing yet" in str(error.value)) != learnt and "train the model for longer" in str(error.value)
    if not learnt:
        assert "costs it 7.4001 bits, where guessing costs 7.50; wanted 7.4000 or less" in str(error.value)


def test_only_the_first_clips_of_a_model_that_plays_noise_are_played(pack, tmp_path):
    with pytest.raises(AudioError, match=r"none of 8 clips can be used \(8 noise\); train the model for longer"):
        play(tmp_path / "pack.safetensors", tmp_path / "project", playing=Playing(minutes=(0.5, 0.5), clip_seconds=2.0))
    assert len(list((tmp_path / "project" / "clips").glob("*.wav"))) == 8


def test_a_tenth_of_the_first_clips_must_be_music(tmp_path, pack):
    """2 s of 48 s are not enough; all that a model plays need not be good."""
    playing = Playing(minutes=(0.6, 0.6), clip_seconds=6.0)
    for seconds, enough in ((2.0, False), (6.0, True)):
        clips_of(pack, tmp_path / f"{seconds}" / "clips", playing)
        hiss = 0.1 * np.random.default_rng(0).standard_normal(6 * RATE).astype(np.float32)
        for number in range(8):
            clip = music(6, number) if number == 0 else hiss
            clip = np.where(np.arange(6 * RATE) < seconds * RATE, clip, hiss)
            write_wav(tmp_path / f"{seconds}" / "clips" / f"{number:04d}.wav", clip, RATE)
        if enough:
            assert play(tmp_path / "pack.safetensors", tmp_path / f"{seconds}", playing=playing).songs
        else:
            with pytest.raises(
                AudioError, match=r"clips: only 4% of the first 8 clips are music; wanted 10%; train the"
            ):
                play(tmp_path / "pack.safetensors", tmp_path / f"{seconds}", playing=playing)


def clips_of(pack, folder, playing):
    """Finished clips in `folder`, as if `pack` had played this music: what a long training would give."""
    audio = sharks.generate(pack, playing.clip_seconds, playing.clips, seed=playing.seed, out=folder)
    for i, file in enumerate(audio.files):
        write_wav(file, music(playing.clip_seconds, i), RATE)


@pytest.fixture
def pack(tmp_path):
    spec = sharks.SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4)
    return sharks.load(sharks.random_pack(spec, seed=1).save(tmp_path / "pack.safetensors"))


def test_play_makes_a_song_of_finished_clips(tmp_path, pack):
    playing = Playing(minutes=(0.2, 0.3), clip_seconds=6.0)
    clips_of(pack, tmp_path / "project" / "clips", playing)
    before = files(tmp_path / "project" / "clips")
    album = play(tmp_path / "pack.safetensors", tmp_path / "project", playing=playing)
    assert files(tmp_path / "project" / "clips") == before  # found, not played again
    assert 12 <= album.songs[0].seconds <= 18.1
    cuts = json.loads((tmp_path / "project" / "cuts.json").read_text())["songs"][0]["cuts"]
    assert {cut["seed"] for cut in cuts} == {0} and {cut["stream"] for cut in cuts} <= set(range(playing.clips))
    assert (tmp_path / "project" / "song.wav").exists() and (tmp_path / "project" / "song.png").exists()


def test_clips_of_another_training_are_left_alone(tmp_path, pack):
    playing = Playing(minutes=(0.05, 0.1), clip_seconds=6.0)
    project = tmp_path / "project"
    clips_of(pack, project / "clips", playing)
    before = files(project / "clips")
    later = sharks.random_pack(pack.spec, seed=2)
    later.save(tmp_path / "later.safetensors")
    clips_of(later, project / "clips-2", playing)
    play(tmp_path / "later.safetensors", project, playing=playing)
    assert files(project / "clips") == before and not (project / "clips-3").exists()


def test_another_temperature_or_engine_plays_into_a_folder_of_its_own(tmp_path, pack, monkeypatch):
    playing = Playing(minutes=(0.05, 0.1), clip_seconds=6.0)
    project = tmp_path / "project"
    clips_of(pack, project / "clips", playing)
    before = files(project / "clips")
    hotter = dataclasses.replace(playing, temperature=1.25)
    played = []
    monkeypatch.setattr("sharks.play.generate.generate", lambda pack, *_, out, **how: played.append(out.name))
    monkeypatch.setattr("sharks.projects.make._check_music", lambda *_: None)
    monkeypatch.setattr("sharks.projects.album_page.write", lambda *_: [])  # there is nothing to hear
    monkeypatch.setattr("sharks.songs.curate", lambda *_, **how: types.SimpleNamespace(songs=[], save=lambda out: None))
    play(tmp_path / "pack.safetensors", project, playing=hotter)
    play(tmp_path / "pack.safetensors", project, playing=dataclasses.replace(playing, seed=9))
    play(tmp_path / "pack.safetensors", project, playing=playing)
    play(tmp_path / "pack.safetensors", project, playing=playing, device="reference")
    asked = [played[i] for i in range(0, len(played), MOST_ROUNDS)]
    assert asked == ["clips-2", "clips-2", "clips", "clips-2"] and files(project / "clips") == before
