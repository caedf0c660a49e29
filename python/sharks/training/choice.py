"""Which preset is trained where none was asked for: that of the run which is there, else one that fits the computer."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from ..proof.fitting import enough_for, fitting, said
from ..proof.machine import this_machine
from ..recipes.presets import guide
from .run import rundir


def chosen(
    preset: str | None,
    run: pathlib.Path | None,
    device: str = "auto",
    tell: Callable[[str], None] = lambda line: None,
    minutes: float | None = None,
) -> str:
    """`preset`, or the choice, which is told with its reason. A run goes on with its own, whatever computer it is on.

    `minutes` of music to learn from, once they are known: too little for what the computer could train takes a smaller
    preset, and only that is told then.

    >>> import sharks.training.choice
    >>> sharks.training.choice.chosen("wavenet-music", None)
    'wavenet-music'
    """
    if preset is not None:
        return preset
    known = rundir.preset(run) if run is not None else None
    if known is not None:
        if minutes is None:
            tell(f"{run}: goes on with its preset, {known}")
        return known
    machine = this_machine(device)
    name = fitting(machine)
    if minutes is None:
        for line in said(name, machine):
            tell(line)
        return name
    smaller = enough_for(name, minutes)
    if smaller != name:
        tell(
            f"{minutes:.0f} min of music are little for {name}, which wants {guide(name).minutes:.0f} and would learn "
            f"them by heart: preset {smaller}; -p {name} takes it all the same"
        )
    return smaller
