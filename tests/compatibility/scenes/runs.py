"""Music becomes a dataset, and a run that was killed half way goes on to the same weights and the same log."""

from __future__ import annotations

import json
import pathlib
import shutil
import typing

import sharks
from compatibility import facts as digest
from compatibility import music
from compatibility.scenes.packs import as_json, spoken

SONGS = {"a.wav": 0.7, "b.wav": 0.5, "c.wav": 0.4}  # seconds
STEPS, KILLED_AFTER = 8, 4
BOTH: dict[str, typing.Any] = {
    "steps": STEPS,
    "batch": 4,
    "device": "cpu",
    "seed": 5,
    "quiet": True,
    "model.q_levels": 32,
    "train.checkpoint_every": KILLED_AFTER,
    "train.validate_every": 2,
    "train.preview_every": 6,
    "train.preview_seconds": 0.02,
    "train.warmup_steps": 2,
    "train.precision": "float32",
    "train.pieces": 1,
    "data.chunk_seconds": 0.1,
    "data.hop_seconds": 0.05,
}
RUNS: dict[str, tuple[str, dict[str, typing.Any]]] = {  # name -> (preset, what is set)
    "samplernn": (
        "prism-3tier-tiny",
        {
            "model.frame_sizes": [4, 16],
            "model.dim": 8,
            "model.embed_dim": 6,
            "train.chunk_len": 64,
            "train.optimiser": "muon",
            "train.ema": 0.9,
            "train.initial_noise": 0.1,
            "data.equaliser_db": 6.0,
        },
    ),
    "wavenet": (
        "ibab-wavenet-tiny",
        {
            "model.dilations": [1, 2, 4, 8],
            "model.residual": 6,
            "model.dilation": 6,
            "model.skip": 8,
            "model.head": 8,
            "train.chunk_len": 128,
            "train.weight_norm": True,
            "train.pieces": 2,
        },
    ),
}
# What a run keeps that another machine, or another hour, makes otherwise. All else is compared.
OTHERWISE = ("env.json", "report.html", ".png")  # versions; a page with pictures in it; pictures, as zlib packs them


def train(name: str, dataset: pathlib.Path, out: pathlib.Path) -> typing.Any:
    import torch

    torch.backends.mkldnn.set_flags(False)
    preset, changes = RUNS[name]
    return sharks.train(dataset, out, preset, **BOTH | changes)


def record(recorded: pathlib.Path) -> None:
    for song, seconds in SONGS.items():
        music.write(recorded / "music" / song, music.plucked(seconds, seed=ord(song[0])))
    sharks.prepare(recorded / "music", recorded / "dataset", val_fraction=0.3)
    for name in RUNS:
        folder = recorded / "trained" / name
        train(name, recorded / "dataset", folder)
        _as_killed(folder)


def _as_killed(folder: pathlib.Path) -> None:
    """Take a finished run back to what a kill shortly before its last checkpoint leaves behind: the log, a row cut
    short at its end, knows more than the checkpoint."""
    for path in (folder / "checkpoints").glob(f"{STEPS:010d}*"):
        path.unlink()
    shutil.copy(folder / "checkpoints" / f"{KILLED_AFTER:010d}.safetensors", folder / "best.safetensors")
    rows = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    seven = next(i for i, row in enumerate(rows) if json.loads(row)["step"] == STEPS - 1)
    (folder / "log.jsonl").write_bytes(b"".join(rows[:seven]) + rows[seven][:9])
    shutil.rmtree(folder / "previews")
    (folder / "report.html").unlink(missing_ok=True)


def facts(recorded: pathlib.Path) -> dict[str, typing.Any]:
    found: dict[str, typing.Any] = {"music": digest.of_folder(recorded / "music")}
    found["dataset, recorded"] = dataset_facts(recorded / "dataset")
    sharks.prepare(recorded / "music", recorded / "anew", val_fraction=0.3)
    found["dataset, made anew"] = dataset_facts(recorded / "anew")
    found["sharks info"] = spoken(recorded, "info", "dataset")
    for name in RUNS:
        folder = recorded / "trained" / name
        run = train(name, recorded / "dataset", folder)
        found[f"{name}: the run"] = [run.step, run.best_step, repr(run.nll), repr(run.order0), as_json(run.spec)]
        found |= {f"{name}: {fact}": value for fact, value in run_facts(folder).items()}
        again = train(name, recorded / "dataset", folder)  # has nothing left to do
        found[f"{name}: called again"] = [again.step, again.best_step, repr(again.nll)]
        at_once = train(name, recorded / "anew", recorded / "trained at once" / name)
        found[f"{name}: as if it had not been killed"] = run_facts(at_once.path) == run_facts(folder)
    return found


def dataset_facts(folder: pathlib.Path) -> dict[str, typing.Any]:
    """Every byte of a dataset, but for the fingerprint of the files that it was made from: of their paths and times."""
    table = json.loads((folder / "dataset.json").read_bytes())
    table.pop("inputs")
    # One is looked at by its values, the other names places of this machine.
    samples = {name: "" if name.endswith(".json") else value for name, value in digest.of_folder(folder).items()}
    return {"samples": samples, "table": table}


def run_facts(folder: pathlib.Path) -> dict[str, typing.Any]:
    """Every byte of a run, but for `OTHERWISE` and the hours that it took, which a state and its digests hold."""
    found: dict[str, typing.Any] = {}
    for name, value in digest.of_folder(folder).items():
        path = folder / name
        if name.endswith(".state.safetensors"):
            metadata, arrays = digest.tensor_file(path)
            progress = json.loads(metadata["facts"])
            hours = progress.pop("hours")
            assert 0 < hours < 1
            found[name] = [metadata["format"], progress, {key: digest.of_array(array) for key, array in arrays.items()}]
        elif name == "log.jsonl":
            found[name] = path.read_text().splitlines()
        elif name.endswith(OTHERWISE):
            found[name] = "is there"
        else:
            found[name] = value
    return found
