"""What is known of a run's music before it learns: how much there is, and what guessing costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...dataset.dataset import Dataset
from ...families.spec import Spec
from .batches import Training
from .material import Material


@dataclass(frozen=True)
class MusicFacts:
    rate: float  # levels per second
    unit: str  # what a level is
    minutes: float  # to train on
    held_out: float  # minutes
    chunks: int
    silent: int  # chunks left out
    steps_per_epoch: float
    uniform: float  # bits per level of guessing without knowing anything
    order0: float  # of guessing by the training music's histogram: the held-out music, if there is any


def music_facts(dataset: Dataset, training: Training, spec: Spec, material: Material) -> MusicFacts:
    """The facts of a dataset and of what `training` makes of it."""
    return MusicFacts(
        rate=material.rate,
        unit=material.unit,
        minutes=len(dataset.train) / dataset.sample_rate / 60,
        held_out=len(dataset.val) / dataset.sample_rate / 60,
        chunks=len(training.chunks),
        silent=training.silent,
        steps_per_epoch=training.steps_per_epoch,
        uniform=math.log2(spec.q_levels),
        order0=material.order0,
    )
