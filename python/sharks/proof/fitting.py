"""Which preset a computer can train while a musician waits, and how long each would take here.

How long a step takes was measured once for every preset, and stands in its file. Times here are that, times how much
slower this computer multiplies: near enough to choose by, and said as such. Training measures before its first step.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..recipes.presets import guide, recipe
from ..terminal.units import span
from .machine import Machine, multiply_adds_per_second

FOR_A_GPU = "dadabots-2tier"
FOR_A_CPU = "sharks-form-small"  # of the large one's sampling rate, for little music takes it on a GPU, too
_LITTLE = 0.5  # of the music that a preset wants: with less, one that wants less is better
_MEASURED_AT = 270e9  # multiply-adds per second of the two cores on which the presets' steps were measured


@dataclass(frozen=True)
class Times:
    """Seconds of training."""

    first_sound: float  # to the first preview
    whole: float


def fitting(machine: Machine) -> str:
    """The preset to begin with: the large one on a GPU, else that of which music is heard within minutes."""
    return FOR_A_GPU if machine.gpu else FOR_A_CPU


def enough_for(name: str, minutes: float) -> str:
    """`name`, or the small preset where so much music is too little for the large one."""
    return FOR_A_CPU if name == FOR_A_GPU and minutes < _LITTLE * guide(name).minutes else name


def times(name: str, machine: Machine) -> Times | None:
    """How long a preset would take; None where nothing was measured: on a GPU, without the engine, of a new preset."""
    speed = multiply_adds_per_second()
    measured, train = guide(name).step_seconds, recipe(name).train
    if machine.gpu or speed is None or not measured:
        return None
    step = measured * _MEASURED_AT / speed
    return Times(step * min(train.preview_every, train.steps), step * train.steps)


def said(name: str, machine: Machine) -> tuple[str, ...]:
    """Why this preset, in two lines; on a GPU one is enough."""
    known = times(name, machine)
    wait = f", about {span(known.first_sound)} to the first sound, {span(known.whole)} in all" if known else ""
    first = f"this computer: {machine}; preset {name}{wait}"
    return (first,) if machine.gpu else (first, f"for the big model use a GPU: -p {FOR_A_GPU}")
