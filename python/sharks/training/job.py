"""What a training is asked for."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..dataset.dataset import Dataset
from ..families.spec import Spec
from ..packs.pack import Pack
from ..recipes.recipe import Recipe
from .watch.display import Display


@dataclass
class Job:
    """The arguments of `train`, resolved."""

    dataset: Dataset
    folder: pathlib.Path  # of the run
    preset: str
    spec: Spec
    recipe: Recipe
    seed: int
    hours: float | None  # the budget, if there is one
    device: torch.device
    resume: bool
    display: type[Display]
    tensorboard: bool = False
    start: Pack | None = None  # what the weights begin as
    ask: Callable[[str], bool] | None = None  # whether to begin what will take so long; None: begin
