"""Every option of every verb, with what cannot be meant: a sentence that names it, at once, and nothing is written."""

import os
import signal
import sys

import pytest
import typer

import sharks
from made_songs import music
from sharks.cli import main
from sharks.cli.app import app
from sharks.cli.naming import option
from sharks.sound.wav import write_wav

PLAYED = {
    "--device": ["tpu", ""],
    "--dtype": ["int4", ""],
    "--threads": ["0", "-1", "1025", "two"],
    "--plan": ["pipeline"],
}
TIMES = ["0s", "nan", "inf", "-1s", "x", ""]
COUNTS = ["0", "-1", "2.5", "x", "nan"]
MINUTES = ["5-3", "nan", "1-inf", "0", "0-3", "-1", "x", "", "1-2-3"]
FOLDERS = ["a file", "a file/below", "a loop", "a loop/below"]  # where a folder should become
TRAINED = {
    "--preset": ["prism", "nothing.toml", ""],
    "--set": ["dim=3", "model.dim", "model.dmi=3", "model.dim=x", "model.dim=0", "train.batch=0", "data.trim_db=nan"],
    "--steps": [*COUNTS, "1000000001"],
    "--hours": TIMES,
    "--device": ["tpu", "reference", ""],
    "--seed": ["-1", "x", str(1 << 63)],
}
SONGS = {"--songs": [*COUNTS, "1000001"], "--minutes": MINUTES}
TEMPERATURES = ["x", "-1", "nan", "inf", "1001", "0.9,x", "0s:x", "1s:1,0s:1", ""]

# The words that would do, and the options with their wrong values.
VERBS = {
    "generate": (
        ["pack.safetensors", "--length", "0.1s"],
        PLAYED
        | {
            "--out": FOLDERS,
            "-n": [*COUNTS, "1048577"],
            "--length": TIMES,
            "--total": TIMES,
            "--temperature": [*TEMPERATURES, "0.9,1.0"],
            "--seed": ["-1", "x", str(1 << 64)],
            "--stream": ["-1", "x", str(1 << 32)],
            "--prime": ["nothing.wav", "songs", "songs/0.wav@1h"],
            "--on-bad": ["never", ""],
        },
    ),
    "extend": (["clips/0000.wav", "--to", "1s"], PLAYED | {"--to": TIMES, "--pack": ["nothing", "songs/0.wav"]}),
    "curate": (
        ["clips", "-o", "album"],
        SONGS
        | {"--out": [*FOLDERS, "clips"], "--crossfade": [*TIMES[1:], "31s"], "--loudness": ["1", "nan", "-61", "x"]},
    ),
    "prepare": (
        ["songs", "-o", "new"],
        {
            "--out": [*FOLDERS, "clips"],
            "--preset": TRAINED["--preset"],
            "--rate": ["0", "-1", "999", "384001", "22050.7", "x"],
            "--channels": ["stereo", ""],
            "--val": ["-0.1", "0.91", "nan", "x"],
        },
    ),
    "train": (
        ["songs", "-p", "dadabots-2tier-tiny"],
        TRAINED | {"--out": ["a file", "clips"], "--batch": COUNTS, "--from": ["nothing", "songs/0.wav"]},
    ),
    "make": (
        ["songs", "-o", "project", "-p", "dadabots-2tier-tiny", "--yes"],
        TRAINED
        | SONGS
        | {"--out": FOLDERS, "--clip": TIMES, "--temperature": [*TEMPERATURES, "0.9,1.0", ",".join(["1"] * 23)]},
    ),
    "demo": (["songs", "-o", "project"], {"--hours": TIMES, "--out": FOLDERS}),
    "check": (["pack.safetensors"], {name: PLAYED[name] for name in ("--device", "--plan")} | {"--dtype": ["int8"]}),
    "bench": (
        ["pack.safetensors"],
        PLAYED | {"--streams": [*COUNTS, "1048577"], "--length": [*TIMES, "61s"]},
    ),
    "sweep": (["experiment.toml", "songs"], {"--device": TRAINED["--device"], "--out": ["a file", "clips/0000.wav"]}),
    "import": (["songs/0.wav"], {"--config": ["nothing.json"], "--out": ["pack.wav"]}),
    "presets": ([], {}),
    "info": (["pack.safetensors"], {}),
    "doctor": ([], {}),
}
EXPERIMENT = """preset = "dadabots-2tier-tiny"
[[value]]
name = "small"
set = { "model.dim" = 8 }
[[value]]
name = "large"
set = { "model.dim" = 16 }
"""
CASES = [
    pytest.param(verb, name, value, id=f"{verb} {name} {value[:12]}")
    for verb, (_, options) in VERBS.items()
    for name, values in options.items()
    for value in values
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("wrong")
    (place / "songs").mkdir()
    for i in range(2):
        write_wav(place / "songs" / f"{i}.wav", music(6, seed=i), 16000)
    pack = sharks.random_pack(sharks.SampleRNNSpec(frame_sizes=(16,), dim=8, embed_dim=4))
    pack.save(place / "pack.safetensors")
    sharks.generate(pack, 0.1, 2, seed=1, out=place / "clips")
    (place / "experiment.toml").write_text(EXPERIMENT)
    (place / "a file").write_text("here")
    (place / "a loop").symlink_to("a loop")
    return place


def said(words, capsys, monkeypatch):
    """The exit code of a command, and its last line on stderr."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the command leaves Ctrl-C ignored
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # and its own stderr behind
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    shown = capsys.readouterr()
    assert shown.out == "" and "Traceback" not in shown.err
    return ended.value.code, shown.err.strip().splitlines()[-1]


def test_the_table_knows_every_option_of_every_verb():
    commands = typer.main.get_command(app).commands
    assert set(commands) == set(VERBS)
    for verb, command in commands.items():
        options = [one for one in command.params if one.param_type_name == "option" and not one.is_flag]
        assert {one.opts[0] for one in options} == set(VERBS[verb][1]), verb


@pytest.mark.parametrize(("verb", "name", "value"), CASES)
def test_what_cannot_be_meant_is_refused_before_work_begins(verb, name, value, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = {path: os.lstat(path).st_mtime_ns for path in folder.rglob("*")}
    code, sentence = said([verb, *VERBS[verb][0], f"{name}={value}"], capsys, monkeypatch)
    assert code in (2, 3, 4) and (code == 2 or name in ("--out", "--prime", "--from", "--pack", "--config")), sentence
    assert sentence.startswith("sharks: ") and "fault of sharks" not in sentence
    typed = value.partition("=")[0].removeprefix("model.") or repr(value)
    assert name in sentence or typed in sentence, "it names what is wrong"
    assert {path: os.lstat(path).st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["generate", "pack.safetensors", "--length", "0s"], "--length is 0"),
        (["generate", "pack.safetensors", "-n", "0"], "-n is 0"),
        (["generate", "pack.safetensors", "--stream", "-1"], "--stream is [-1]"),
        (["generate", "pack.safetensors", "-t", "-1"], "--temperature is -1"),
        (["generate", "pack.safetensors", "--threads", "0"], "--threads is 0"),
        (["generate", "pack.safetensors", "--device", "tpu"], "--device is 'tpu'"),
        (
            ["generate", "pack.safetensors", "--prime", "songs/0.wav@5.99999s"],
            "--prime songs/0.wav@5.99999s begins after",
        ),
        (["extend", "clips/0000.wav", "--to", "0s"], "--to is 0"),
        (["bench", "pack.safetensors", "-n", "0"], "--streams is 0"),
        (["prepare", "songs", "--rate", "999"], "--rate is 999"),
        (["prepare", "songs", "--val", "2"], "--val is 2"),
        (["train", "songs", "--smoke", "--hours", "0"], "--hours is 0"),
        (["make", "songs", "-o", "project", "--songs", "0"], "--songs is 0"),
        (["make", "songs", "-o", "project", "--clip", "0s"], "--clip is 0"),
        (["make", "songs", "-o", "project", "--minutes", "5-3"], "--minutes is (5.0, 3.0)"),
        (["curate", "clips", "--minutes", "5-3"], "--minutes is (5.0, 3.0)"),
        (["curate", "clips", "--songs", "0"], "--songs is 0"),
    ],
)
def test_sentences_speak_of_options(words, start, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert said(words, capsys, monkeypatch)[1].startswith(f"sharks: {start}")


def test_an_argument_without_an_option_keeps_its_name():
    assert option("generate", "prime_rate") == "prime_rate"
