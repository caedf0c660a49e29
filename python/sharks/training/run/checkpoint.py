"""Checkpoints: two files per step, each whole or not there, found again after anything.

    checkpoints/0000001000.safetensors          the pack as it was then: play it, judge it by ear
    checkpoints/0000001000.state.safetensors    everything that decides the future of the training

Each is written under another name, reaches the disk and then takes its own name; the state comes last, and both are
read back and verified. What is found damaged later is passed over for the checkpoint before.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import typing

import numpy as np

from ...errors import Error, PackError, ResourceError
from ...files.atomic import atomically, written
from ...files.tensorfile import TensorFile, write
from ...packs.pack import Pack, load

_FORMAT = "sharks training state 1"
_PACK, _STATE = ".safetensors", ".state.safetensors"
_DAY = 24.0  # hours of training of which one checkpoint is kept for good


class Checkpoint(typing.NamedTuple):
    step: int
    arrays: dict[str, np.ndarray]
    facts: dict[str, typing.Any]  # JSON values, all numbers finite


def save(folder: pathlib.Path, checkpoint: Checkpoint, pack: Pack, best: pathlib.Path) -> None:
    """Write a checkpoint into a run's `checkpoints` folder, and its pack to `best` if nothing is there yet: who finds a
    checkpoint finds something to play.

    `ResourceError` where it cannot be written, or does not read back; earlier checkpoints are then untouched.
    """
    packed, state = _paths(folder, checkpoint.step)
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    pack.save(packed)
    _read_back(packed)
    if not best.exists():
        _copy(packed, best)
    write(state, checkpoint.arrays, {"format": _FORMAT, "facts": json.dumps(checkpoint.facts, allow_nan=False)})
    _read_back(state)


def newest(folder: pathlib.Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint, or None, and one sentence for each that had to be passed over."""
    passed: list[str] = []
    for step in reversed(steps(folder)):
        try:
            return read(folder, step), passed
        except PackError as error:
            passed.append(str(error))
    return None, passed


def read(folder: pathlib.Path, step: int) -> Checkpoint:
    """The checkpoint of a step. Any damage, to its pack too, is a `PackError`."""
    pack, state = _paths(folder, step)
    with TensorFile(state) as file:
        if file.metadata.get("format") != _FORMAT:
            raise file.error(f"is no {_FORMAT}")
        arrays = {name: file.read(name) for name in file.layout}
        facts = file.parse(file.metadata.get("facts", ""), "facts")
    _verify(pack)
    return Checkpoint(step, arrays, facts)


def steps(folder: pathlib.Path) -> list[int]:
    """The steps that have a state, whole or damaged, in order."""
    names = (path.name.removesuffix(_STATE) for path in folder.glob(f"*{_STATE}"))
    return sorted(int(name) for name in names if name.isdecimal())


def prune(folder: pathlib.Path, keep: int, best: int | None) -> None:
    """Leave the newest `keep` checkpoints, the best, and the last of every 24 hours of training."""
    found = steps(folder)
    days = {step: _hours(folder, step) // _DAY for step in found}
    last_of_day = {day: step for step, day in days.items()}
    for step in found[:-keep]:
        if step != best and (days[step] == days[found[-1]] or last_of_day[days[step]] != step):
            for path in reversed(_paths(folder, step)):
                with written(path, "removed"):
                    path.unlink(missing_ok=True)


def publish(folder: pathlib.Path, step: int, target: pathlib.Path) -> None:
    """Copy the pack of a step to `target`, whole or not at all."""
    _copy(_paths(folder, step)[0], target)


def mend(folder: pathlib.Path, step: int | None, best: pathlib.Path) -> None:
    """`best` as the newest checkpoint knows it, the pack of `step`: a kill may have come between the two."""
    try:
        current = load(best).about.get("step")
    except Error:
        current = None
    if step is not None and current != step and step in steps(folder):
        publish(folder, step, best)


def _copy(pack: pathlib.Path, target: pathlib.Path) -> None:
    with atomically(target) as file, open(pack, "rb") as source:
        shutil.copyfileobj(source, file)
    _read_back(target)


def _hours(folder: pathlib.Path, step: int) -> float:
    """How long the run had been training; 0 where the checkpoint does not say."""
    try:
        with TensorFile(_paths(folder, step)[1]) as file:
            hours = file.parse(file.metadata.get("facts", "{}"), "facts").get("hours", 0.0)
    except PackError:
        return 0.0
    return float(hours) if isinstance(hours, int | float) else 0.0


def _paths(folder: pathlib.Path, step: int) -> tuple[pathlib.Path, pathlib.Path]:
    return folder / f"{step:010d}{_PACK}", folder / f"{step:010d}{_STATE}"


def _verify(path: pathlib.Path) -> None:
    with TensorFile(path) as file:
        for name in file.layout:
            file.read(name)


def _read_back(path: pathlib.Path) -> None:
    try:
        _forget(path)
        _verify(path)
    except (PackError, OSError) as error:
        raise ResourceError(f"{error}; it was just written: check the disk, earlier checkpoints are safe") from None


def _forget(path: pathlib.Path) -> None:
    """Ask the system to drop its copy in memory, so that reading means reading the disk, where it can be asked."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
