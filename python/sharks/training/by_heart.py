"""Two seconds of music learnt by heart: whether data and settings work at all, before days are spent on them.

A model that cannot even do that will not learn an album; one that can may still learn nothing but these two seconds.
Nothing is written to disk.
"""

from __future__ import annotations

import dataclasses
import time
import typing
from collections.abc import Callable

import numpy as np
import torch

from ..dataset.dataset import Dataset
from ..errors import Error
from ..families.spec import Spec
from ..recipes.recipe import Recipe
from .music.batches import Training
from .music.material import material_of
from .step.learner import Learner

SECONDS = 2.0  # of music, or as many as a batch needs where a step is no sample
WANTED = 1.0  # bits per sample
_RISE = 50  # steps in which the learning rate reaches its full value
_MEMORY = 0.95  # of the running mean of the loss


@dataclasses.dataclass(frozen=True)
class Smoke:
    """What came of it. NLL in bits per sample."""

    passed: bool
    nll: float  # the running mean over the last steps
    order0: float  # of these seconds
    steps: int
    seconds: float  # that it took
    track: str
    music: float = SECONDS  # seconds of it

    def __str__(self) -> str:
        return (
            f"learnt {self.music:.0f} s of {self.track} by heart: {self.nll:.2f} bits (order-0 {self.order0:.2f}) "
            f"after {self.steps:,} steps and {self.seconds:.0f} s; data and settings work"
        )


def smoke(
    dataset: Dataset,
    spec: Spec,
    recipe: Recipe,
    device: torch.device,
    seed: int,
    minutes: float,
    tell: Callable[[str], None],
) -> Smoke:
    """Train on the middle of the longest song until the loss is below `WANTED`; an `Error` if it never is."""
    seconds = max(SECONDS, recipe.train.chunk_len / spec.steps_per_second)
    music, track = excerpt(dataset, seconds)
    whole: dict[str, typing.Any] = {
        "silence_db": float("-inf"),
        "equaliser_db": 0.0,
        "renderings": 1,
    }  # the same seconds every time
    data = dataclasses.replace(recipe.data, chunk_seconds=seconds, chunks=0, **whole)
    train = dataclasses.replace(recipe.train, decay="none", warmup_steps=_RISE, ema=0.0, pieces=0)
    material = material_of(music, spec, data, seed)
    windows = max(1, round(seconds * material.rate) // train.chunk_len)
    train = dataclasses.replace(train, batch=min(train.batch, max(1, windows // 2)))
    training = Training(music, spec, dataclasses.replace(recipe, data=data, train=train), seed, material)
    learner, order0 = Learner(spec, train, device, seed, material.counts, constants=material.constants), material.order0
    began = told = time.monotonic()
    mean = float("nan")
    while True:
        rate = train.learning_rate * min(1.0, (learner.steps + 1) / _RISE)
        nll = learner.learn(training.at(learner.steps), rate)
        mean = nll if learner.steps == 1 else _MEMORY * mean + (1 - _MEMORY) * nll
        now = time.monotonic()
        found = Smoke(mean < WANTED, mean, order0, learner.steps, now - began, track, seconds)
        if found.passed:
            return found
        if now - began > 60 * minutes:
            raise Error(
                f"smoke: {seconds:.0f} s of {track} still cost {mean:.2f} bits after {minutes:g} min (order-0 "
                f"{order0:.2f}), wanted below {WANTED:g}; try a lower train.learning_rate or a larger "
                "model.dim, or look at the data"
            )
        if now - told > 5:
            told = now
            tell(f"step {learner.steps:,}: {mean:.2f} bits of {order0:.2f} after {now - began:.0f} s")


def excerpt(dataset: Dataset, seconds: float = SECONDS) -> tuple[Dataset, str]:
    """A dataset of some seconds from the middle of the longest training song, and that song's name."""
    track = max(dataset.of("train"), key=lambda track: track.length)
    length = min(track.length, round(seconds * dataset.sample_rate))
    start = track.start + (track.length - length) // 2
    samples = np.array(dataset.train[start : start + length])
    only = dataclasses.replace(track, start=0, length=length, minutes=length / dataset.sample_rate / 60)
    return dataclasses.replace(dataset, tracks=(only,), train=samples, val=samples[:0]), track.name
