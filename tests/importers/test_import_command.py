"""`sharks import`, as a person meets it: exit code, what it prints, what it leaves behind."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import sharks

RECORDED = pathlib.Path(__file__).parent / "recorded"
CONFIGS = pathlib.Path(__file__).parents[1] / "golden" / "recorded"
ENVIRONMENT = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(sharks.__file__)))}
PRISM = RECORDED / "prism_gru_ckpt" / "model.ckpt-7"


def sharks_import(*words, cwd):
    command = [sys.executable, "-m", "sharks", "import", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_pack_on_stdout_and_what_was_assumed_on_stderr(tmp_path):
    config = CONFIGS / "prism_gru.config.json"
    done = sharks_import("prism", PRISM, "--config", config, "-o", "x.safetensors", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "x.safetensors\n")
    assert done.stderr.splitlines() == [
        "prism (PRiSM SampleRNN), settings from prism_gru.config.json",
        "sample rate 16000 assumed: the checkpoint does not say",
        "optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE, optimizer/_learning_rate/.ATTRIBUTES/VARIABLE_VALUE "
        "dropped: the optimiser's and Keras' own",
    ]
    assert left(tmp_path) == ["x.safetensors"]
    assert sharks.check(tmp_path / "x.safetensors", device="reference").ok


@pytest.mark.parametrize("words", [[PRISM], ["auto", f"{PRISM}.index"], ["auto", PRISM.parent]], ids=str)
def test_kind_and_pack_may_be_left_out(words, tmp_path):
    done = sharks_import(*words, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kind"], left(tmp_path)) == ("prism", [told["pack"]])
    assert told["pack"] in ("model.ckpt-7.safetensors", "prism_gru_ckpt.safetensors")


@pytest.mark.parametrize(
    "words, code, parts",
    [
        (["prsm", PRISM], 2, ["'prsm'", "prism"]),
        ([], 2, ["KIND"]),
        (["prism", PRISM, "-o", "x.npz"], 2, ["x.npz", ".safetensors"]),
        (["prism", "nothing.index"], 3, ["nothing.index"]),
        (["ibab", PRISM], 3, ["prism"]),
        (["prism", PRISM, "-o", "no/x.safetensors"], 4, ["no/x"]),
        (["prism", PRISM, "--config", CONFIGS / "ibab_wavenet.config.json"], 3, ["dilations", "no setting of prism"]),
        (["ibab", RECORDED / "ibab_ckpt", "--config", CONFIGS / "prism_gru.config.json"], 3, ["dilations"]),
    ],
)
def test_mistakes_leave_one_sentence_and_nothing_else(words, code, parts, tmp_path):
    done = sharks_import(*words, cwd=tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, done.stdout) == (code, "") and last.startswith("sharks: "), done.stderr
    assert [part for part in parts if part not in last] == [] and "Traceback" not in done.stderr
    assert left(tmp_path) == []


def test_a_name_that_nobody_gave_writes_over_no_other_pack(tmp_path):
    other = tmp_path / "model.ckpt-7.safetensors"
    sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(4,), dim=4, embed_dim=2)).save(other)
    before = other.read_bytes()
    refused = sharks_import("prism", PRISM, cwd=tmp_path)
    assert refused.returncode == 2 and refused.stderr.splitlines()[-1] == (
        "sharks: model.ckpt-7.safetensors: is there already, and is another pack; name this one with -o"
    )
    assert other.read_bytes() == before and left(tmp_path) == [other.name]
    other.write_bytes(b"somebody's own")
    assert sharks_import("prism", PRISM, cwd=tmp_path).returncode == 2
    assert other.read_bytes() == b"somebody's own"
    assert sharks_import("prism", PRISM, "-o", other.name, cwd=tmp_path).returncode == 0, "it was asked for"
    assert sharks_import("prism", PRISM, cwd=tmp_path).returncode == 0, "the same again is no other pack"


def test_the_folder_one_stands_in_gives_its_name(tmp_path):
    (tmp_path / "my model").mkdir()
    for file in PRISM.parent.iterdir():
        (tmp_path / "my model" / file.name).write_bytes(file.read_bytes())
    done = sharks_import(".", cwd=tmp_path / "my model")
    assert (done.returncode, done.stdout) == (0, "my model.safetensors\n"), done.stderr
