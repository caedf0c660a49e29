"""Which preset is trained where none was asked for: that of the run which is there, else one that fits the computer."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from ..proof.fitting import fitting, said
from ..proof.machine import this_machine
from .run import rundir


def chosen(
    preset: str | None,
    run: pathlib.Path | None,
    device: str = "auto",
    tell: Callable[[str], None] = lambda line: None,
) -> str:
    """`preset`, or the choice, which is told with its reason. A run goes on with its own, whatever computer it is on.

    >>> import sharks.training.choice
    >>> sharks.training.choice.chosen("wavenet-music", None)
    'wavenet-music'
    """
    if preset is not None:
        return preset
    known = rundir.preset(run) if run is not None else None
    if known is not None:
        tell(f"{run}: goes on with its preset, {known}")
        return known
    machine = this_machine(device)
    name = fitting(machine)
    for line in said(name, machine):
        tell(line)
    return name
