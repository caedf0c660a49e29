"""`sharks info`: what anything is that sharks makes or takes, and what to do with it next."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import sharks
from command import sharks_command
from made_songs import tune
from sharks.errors import Error
from sharks.projects.inside import CONFIG, LOG
from sharks.projects.what import what
from sharks.sound.wav import write_wav
from sharks.training.run import rundir
from small_runs import RATE, trained

PRISM = pathlib.Path(__file__).parents[1] / "importers" / "recorded" / "prism_gru_ckpt"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One of each, of a few samples."""
    home = tmp_path_factory.mktemp("home")
    for seed in range(3):
        (home / "songs").mkdir(exist_ok=True)
        write_wav(home / "songs" / f"{seed}.wav", tune(4 * RATE, RATE, seed), RATE)
    data = sharks.prepare(home / "songs", home / "data", sample_rate=RATE, val_fraction=0.3)
    trained(data, home / "run", steps=3)
    pack = sharks.random_pack(sharks.SampleRNNSpec(sample_rate=8000, frame_sizes=(4,), dim=4, embed_dim=2))
    pack.save(home / "mine.safetensors")
    sharks.generate(home / "mine.safetensors", 0.1, 2, seed=7, temperature=0.5, out=home / "clips")
    (home / "album").mkdir()
    shutil.copy(home / "clips" / "0000.wav", home / "album" / "song.wav")
    (home / "album" / "cuts.json").write_text(
        json.dumps({"songs": [{"file": "song.wav", "seconds": 0.1}], "dropped": []})
    )
    write_wav(home / "music.wav", np.zeros(800, np.float32), 8000)
    (home / "project").mkdir()
    for name in ("data", "run", "clips"):
        shutil.copytree(home / name, home / "project" / name)
    shutil.copy(home / "clips" / "0000.wav", home / "project" / "song.wav")
    shutil.copy(home / "album" / "cuts.json", home / "project" / "cuts.json")
    return home


@pytest.mark.parametrize(
    "name, kind, facts, following",
    [
        ("music.wav", "sound", {"sample_rate": 8000, "seconds": 0.1}, None),
        ("clips/0001.wav", "clip", {"seed": 7, "stream": 1, "temperature": 0.5}, "sharks extend"),
        ("clips", "clips", {"clips": 2, "seeds": "7", "packs": "../mine.safetensors"}, "sharks curate"),
        ("album/song.wav", "song", {"channels": 1}, None),
        ("album", "album", {"songs": "song.wav (0.1 s)"}, None),
        ("data", "dataset", {"tracks": 3}, "sharks train"),
        ("songs", "folder of music", {"files": 3, "first": "0.wav, 1.wav, 2.wav"}, "sharks make"),
        ("run", "run", {"step": 3, "of steps": 3, "preset": "dadabots-2tier-tiny"}, "sharks generate"),
        ("mine.safetensors", "pack", {"spec.dim": 4}, "sharks generate"),
        ("project", "project", {"there": "data, run, clips, song.wav", "step": 3}, "sharks generate"),
    ],
)
def test_what_it_is(name, kind, facts, following, home):
    found = what(home / name)
    assert found["kind"] == kind and {key: found[key] for key in facts} == facts
    assert next(iter(found)) == "kind"
    assert found.get("next", "").startswith(following) if following else "next" not in found


def test_a_run_is_as_far_as_its_log_and_its_pack_as_the_best(home, tmp_path):
    shutil.copytree(home / "run", tmp_path / "run")
    with open(tmp_path / "run" / LOG, "ab") as log:
        log.write(b'{"step": 9, "nll": 5.0}\n')
    found = what(tmp_path / "run")
    assert (found["kind"], found["step"], found["best step"]) == ("run", 9, what(home / "run")["best step"])


def test_a_list_of_cuts_of_somebody_else_says_nothing(home, tmp_path):
    shutil.copytree(home / "songs", tmp_path / "songs")
    (tmp_path / "songs" / "cuts.json").write_text("[]")
    assert what(tmp_path / "songs")["kind"] == "folder of music"


def test_a_folder_without_a_sound_is_nothing_of_ours(tmp_path):
    (tmp_path / "notes.txt").write_text("These are words.")
    with pytest.raises(Error, match="is nothing that sharks makes or takes"):
        what(tmp_path)


def test_an_experiment():
    asked = pathlib.Path(__file__).parents[2] / "docs" / "experiments" / "receptive-field.toml"
    found = what(asked)
    assert (found["kind"], found["preset"]) == ("experiment", "ibab-wavenet-tiny")
    assert found["next"].startswith("sharks sweep ") and found["next"].endswith(" DATA")


def test_presets_the_box_and_checkpoints_of_others(home, monkeypatch):
    monkeypatch.chdir(home)
    assert what(pathlib.Path("ibab-wavenet"))["kind"] == "preset" and what(pathlib.Path("box"))["kind"] == "pack"
    found = what(PRISM)
    assert (found["kind"], found["as of"]) == ("checkpoint of another program", "prism")
    assert found["next"].startswith("sharks import ")


def test_a_project_that_is_not_done_goes_on(home, tmp_path):
    (tmp_path / "p").mkdir()
    shutil.copytree(home / "data", tmp_path / "p" / "data")
    assert what(tmp_path / "p")["next"].startswith("sharks make FOLDER -o ")


def test_weights_of_another_program_are_named_as_such(tmp_path):
    from safetensors.numpy import save_file

    save_file({"encoder.weight": np.zeros((2, 3), np.float32)}, tmp_path / "other.safetensors")
    found = what(tmp_path / "other.safetensors")
    assert (found["kind"], found["tensors"]) == ("safetensors of another program", 1)
    assert "next" not in found and "imports no safetensors" in found["what to do"]
    done = sharks_command("generate", "other.safetensors", cwd=tmp_path)
    assert done.returncode == 3 and "of another program; name a pack, or let `sharks import` make one" in done.stderr
    assert sharks_command("import", "other.safetensors", cwd=tmp_path).returncode == 3


def test_what_is_nothing_of_ours_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "nowhere", tmp_path / "x.toml"):
        with pytest.raises(Error):
            what(path)


def test_hostile_texts_reach_no_terminal(tmp_path):
    spec = sharks.SampleRNNSpec(frame_sizes=(4,), dim=4, embed_dim=2)
    evil = "\x1b]0;owned\x07\x1b[2J\r\nsharks: all is well \u202e\x00"
    pack = sharks.Pack(spec, sharks.random_pack(spec).tensors, about={"preset": evil, "songs": [evil], evil: "x"})
    pack.save(tmp_path / "evil.safetensors")
    done = sharks_command("info", "evil.safetensors", cwd=tmp_path)
    assert done.returncode == 0 and not [c for c in done.stdout if not c.isprintable() and c != "\n"]
    assert not any(line.startswith("sharks: all is well") for line in done.stdout.splitlines())
    assert json.loads(sharks_command("info", "evil.safetensors", "--json", cwd=tmp_path).stdout)["preset"] == evil


def test_the_names_are_those_of_the_room_that_writes_them():
    assert (CONFIG, LOG) == (rundir.CONFIG, rundir.LOG)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        *((f"run/{file}", "run") for file in (CONFIG, LOG, "env.json", "report.html")),
        *((f"data/{file}", "dataset") for file in ("dataset.json", "places.json", "train.i16", "val.i16")),
        ("clips/manifest.jsonl", "folder of clips"),
    ],
)
def test_a_part_is_told_of_its_whole(home, name, whole):
    facts = what(home / name)
    assert facts["kind"] == f"part of a {whole}" and facts["what"]
    assert facts["next"] == f"sharks info {(home / name).parent}"


def test_states_that_go_on_are_no_packs(home, tmp_path):
    (state,) = sorted((home / "run" / "checkpoints").glob("*.state.safetensors"))[-1:]
    assert what(state)["kind"] == "part of a run" and what(state)["next"] == f"sharks info {home / 'run'}"
    shutil.copytree(home / "clips", tmp_path / "clips")
    (tmp_path / "clips" / "0000.state.safetensors").write_bytes(b"anything")
    assert what(tmp_path / "clips" / "0000.state.safetensors")["kind"] == "part of a folder of clips"
    (tmp_path / "0000.state.safetensors").write_bytes(b"anything")
    with pytest.raises(Error):
        what(tmp_path / "0000.state.safetensors")


@pytest.mark.parametrize("head", [b"MThd\0\0\0\6\0\1", b"RIFF\0\0\0\0RMIDdata"])
def test_notes_are_no_sound(tmp_path, head):
    (tmp_path / "tune.mid").write_bytes(head)
    assert what(tmp_path / "tune.mid")["kind"].startswith("MIDI")
