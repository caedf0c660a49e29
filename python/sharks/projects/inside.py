"""What a single file is that belongs to something larger, or to none of ours: a part of a run, of a dataset, notes."""

from __future__ import annotations

import pathlib
import shlex
import typing

from ..clips import manifest
from ..dataset.dataset import read_table
from ..dataset.own_work import CONFIG

Facts = dict[str, typing.Any]
LOG = "log.jsonl"  # as training/run/rundir.py has it, which would load torch's rooms

_STATE = ".state.safetensors"
_OF_A_RUN = {
    CONFIG: "its settings, by which it goes on",
    LOG: "what was measured at each step",
    "env.json": "the computer and the versions that it was trained with",
    "report.html": "its curves and previews, to be opened in a browser",
}
_OF_A_DATASET = {
    "dataset.json": "its tracks, and what became of every file",
    "places.json": "where the music lies",
    "train.i16": "the samples that are learnt from",
    "val.i16": "the samples that are held out",
}


def part_of(path: pathlib.Path) -> Facts | None:
    """`kind` first, and a command that says more of the whole."""
    if not path.is_file():
        return None
    folder = path.parent
    if path.name in _OF_A_RUN and _is_run(folder):
        return _part("run", folder, _OF_A_RUN[path.name])
    if path.name in _OF_A_DATASET and read_table(folder) is not None:
        return _part("dataset", folder, _OF_A_DATASET[path.name])
    if path.name.endswith(_STATE) and _is_run(folder.parent):
        return _part("run", folder.parent, "what it needs to go on from this step; no pack, which lies beside it")
    if path.name.endswith(_STATE) and manifest.read(folder):
        return _part("folder of clips", folder, "where the same `sharks generate` goes on; it goes when they are done")
    if path.name == manifest.NAME and manifest.read(folder):
        return _part("folder of clips", folder, "what each clip was made of")
    return _notes(path)


def _is_run(folder: pathlib.Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / LOG).is_file()


def _part(whole: str, folder: pathlib.Path, words: str) -> Facts:
    return {"kind": f"part of a {whole}", "what": words, "next": f"sharks info {shlex.quote(str(folder))}"}


def _notes(path: pathlib.Path) -> Facts | None:
    """A MIDI file, in its own form or in a RIFF file."""
    with open(path, "rb") as file:
        head = file.read(12)
    if head[:4] != b"MThd" and not (head[:4] == b"RIFF" and head[8:] == b"RMID"):
        return None
    return {
        "kind": "MIDI, which is notes and no sound",
        "what to do": "sharks learns from sound: play it with a synthesiser into a WAV, and take that",
    }
