"""A run directory: what was asked for, what it ran on, and what happened at every step.

config.toml        the resolved recipe, complete, with what was asked for on top
env.json           versions and device of the last start
log.jsonl          one row per step, validation, checkpoint and preview; append-only
best.safetensors   the pack with the lowest validation NLL so far
report.html        curves, previews with players and spectrograms, settings: one page that needs nothing else
checkpoints/  previews/
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import platform
import shutil
import tomllib
import typing

from ...errors import PackError, UsageError
from ...families.spec import Spec, to_dict
from ...files.atomic import atomically, written
from ...recipes.recipe import DataRecipe, Recipe, TrainRecipe

CONFIG, ENVIRONMENT, LOG, BEST = "config.toml", "env.json", "log.jsonl", "best.safetensors"
CHECKPOINTS, PREVIEWS, REPORT = "checkpoints", "previews", "report.html"
# What may differ when the same run goes on: how far, how carefully, and what is kept and shown on the way.
_MAY_CHANGE = {
    "train": {
        "steps",
        "learning_rate",
        "clip",
        "clip_at",
        "checkpoint_every",
        "validate_every",
        "validate_seconds",
        "preview_every",
        "preview_seconds",
        "keep",
        "temperature",
        "precision",
        "pieces",
        "compiled",
    }
}

Config = dict[str, dict[str, typing.Any]]


def config(preset: str, seed: int, fingerprint: str, spec: Spec, recipe: Recipe, start: str | None = None) -> Config:
    """Everything that decides the run, as the tables of config.toml. `start`: the SHA-256 of the pack it began as."""
    return {
        "run": {"preset": preset, "seed": seed, "dataset": fingerprint} | ({"start": start} if start else {}),
        "model": to_dict(spec),
        "data": dataclasses.asdict(recipe.data),
        "train": dataclasses.asdict(recipe.train),
    }


def check(folder: pathlib.Path, wanted: Config, resume: bool) -> None:
    """Refuse a folder that holds other things, and, to `resume`, a run of another config. Changes nothing."""
    refuse_others(folder)
    if resume and (folder / CONFIG).exists():
        _check_same(folder, _read(folder / CONFIG), wanted)


def refuse_others(folder: pathlib.Path) -> None:
    """`UsageError` where a folder is a file, or holds other things than a run."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; wanted a new folder for the run")
    if folder.is_dir() and not (folder / CONFIG).exists():
        if any(not p.name.endswith(".unfinished") for p in folder.iterdir()):
            raise UsageError(f"{folder}: holds other files and is no run; choose a new folder")


def recorded(folder: pathlib.Path) -> dict[str, typing.Any]:
    """The [train] table of the run in a folder; empty if there is none."""
    return dict(_read(folder / CONFIG).get("train", {})) if (folder / CONFIG).exists() else {}


def preset(folder: pathlib.Path) -> str | None:
    """What the run in a folder is a training of; None where no run is."""
    return _of_the_run(folder, "preset")


def start(folder: pathlib.Path) -> str | None:
    """The SHA-256 of the pack that the run in a folder began as; None where no run is, or it began as noise."""
    return _of_the_run(folder, "start")


def _of_the_run(folder: pathlib.Path, name: str) -> str | None:
    value = _read(folder / CONFIG).get("run", {}).get(name) if (folder / CONFIG).exists() else None
    return value if isinstance(value, str) else None


def changed(folder: pathlib.Path, wanted: Config) -> list[str]:
    """What `wanted` asks for that the run in a folder was not trained with: "train.clip_at 2.0 (was 1.0)"."""
    known = recorded(folder)
    return [
        f"train.{name} {value!r} (was {known[name]!r})"
        for name, value in wanted["train"].items()
        if name in known and known[name] != value
    ]


def enter(folder: pathlib.Path, wanted: Config, resume: bool) -> None:
    """Make `folder`, which `check` has passed, a run of this config; an old run in it is removed unless to `resume`."""
    if not resume:
        _clear(folder)
    with written(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.rglob(".*.unfinished"):  # what a killed run was writing
            left.unlink(missing_ok=True)
    with atomically(folder / CONFIG) as file:
        file.write(_toml(wanted).encode())


def note_environment(folder: pathlib.Path, device: str) -> None:
    import numpy
    import torch

    from ... import __version__

    versions = {"sharks": __version__, "torch": torch.__version__, "numpy": numpy.__version__}
    facts = {"device": device, "threads": torch.get_num_threads(), "python": platform.python_version(), **versions}
    with atomically(folder / ENVIRONMENT) as file:
        file.write((json.dumps(facts, indent=1) + "\n").encode())


def rows(folder: pathlib.Path) -> list[dict[str, typing.Any]]:
    """The rows of a run's log that are whole."""
    found = []
    path = folder / LOG
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            found.append(row)
    return found


def judged(folder: pathlib.Path, best: int | None) -> float | None:
    """What an earlier call found out about the best checkpoint: its NLL in bits on all held-out music."""
    found = [row["held_out"] for row in rows(folder) if "held_out" in row and row.get("best") == best]
    return float(found[-1]) if found else None


def _check_same(folder: pathlib.Path, old: Config, wanted: Config) -> None:
    # What a run does not say was not known when it began, and is what it was then: the default.
    unsaid = {"data": dataclasses.asdict(DataRecipe()), "train": dataclasses.asdict(TrainRecipe())}
    for table, fields in wanted.items():
        for name, value in fields.items():
            was = (unsaid.get(table, {}) | old.get(table, {})).get(name)
            if was != value and (table, name) == ("run", "dataset"):
                raise UsageError(
                    f"{folder}: this run learnt from another dataset than the one given (run.dataset is "
                    f"{str(was)[:8]}, got {str(value)[:8]}); give the former to go on, or choose another folder for a "
                    "new run (--fresh, in Python resume=False, begins anew here)"
                )
            if was != value and name not in _MAY_CHANGE.get(table, ()):
                raise UsageError(
                    f"{folder}: this run has {table}.{name} {was!r}, got {value!r}; give the former to go on, or "
                    "choose another folder (--fresh, in Python resume=False, begins anew here)"
                )


def _read(path: pathlib.Path) -> Config:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PackError(f"{path}: cannot be read ({error}); choose another folder") from None


def _clear(folder: pathlib.Path) -> None:
    """Remove what a run made, the config last, and nothing else."""
    for name in (CHECKPOINTS, PREVIEWS, "tb"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (BEST, LOG, REPORT, ENVIRONMENT, CONFIG):
        (folder / name).unlink(missing_ok=True)


def _toml(tables: Config) -> str:
    """TOML of tables of plain values; every value that occurs is written the same in TOML as in Python or JSON."""
    lines = []
    for table, fields in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{name} = {_value(value)}" for name, value in fields.items()]
        lines.append("")
    return "\n".join(lines)


def _value(value: typing.Any) -> str:
    return repr(value) if isinstance(value, float) else json.dumps(list(value) if isinstance(value, tuple) else value)
