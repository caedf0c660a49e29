"""What a training is asked for, checked before any work: the model and its recipe, the music, the processes."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import typing

from ..engine.devices import named
from ..errors import ResourceError, UsageError, arguments
from ..families.spec import Spec
from ..recipes.presets import override
from ..recipes.presets import preset as spec_of
from ..recipes.presets import recipe as recipe_of
from ..recipes.recipe import MOST, Recipe
from .start import check_same_model
from .step.device import DEVICES, NO_TORCH, device_of

if typing.TYPE_CHECKING:
    import torch

    from ..dataset.dataset import Dataset
    from ..packs.pack import Pack
    from .step.processes import Processes

MOST_SEED = (1 << 63) - 1


def asked(
    preset: str,
    pack: Pack | None = None,
    *,
    steps: int | None = None,
    hours: float | None = None,
    batch: int | None = None,
    device: str = "auto",
    seed: int = 0,
    **overrides: typing.Any,
) -> tuple[Spec, Recipe]:
    """What `train` would train: the preset with what was changed; the model is that of `pack`, if there is one.

    What `train` refuses of its arguments is refused here, and where there is no torch, before any music is prepared.
    """
    arguments.whole("seed", seed, 0, MOST_SEED)
    if hours is not None:
        arguments.positive("hours", hours, "a time above 0")
    given = {"steps": steps, "batch": batch}
    counts = {name: arguments.whole(name, n, 1, MOST) for name, n in given.items() if n is not None}
    spec, recipe = override(
        spec_of(preset), recipe_of(preset), overrides | {f"train.{name}": n for name, n in counts.items()}
    )
    if pack is not None:
        check_same_model(pack, spec)
    _check(spec, recipe)
    if importlib.util.find_spec("torch") is None:
        raise ResourceError(NO_TORCH)
    if named(device, DEVICES) == "cuda":
        device_of(device)
    return spec, recipe


def dataset_of(data: str | os.PathLike[str] | Dataset, spec: Spec) -> Dataset:
    from ..dataset.dataset import Dataset, load_dataset

    dataset = data if isinstance(data, Dataset) else load_dataset(arguments.path("data", data))
    if dataset.sample_rate != spec.sample_rate:
        raise UsageError(
            f"{dataset.path}: is at {dataset.sample_rate} Hz, wanted {spec.sample_rate}; prepare it again at that "
            f"rate, or set model.sample_rate={dataset.sample_rate}"
        )
    return dataset


def _check(spec: Spec, recipe: Recipe) -> None:
    chunk_len, lookback = recipe.train.chunk_len, spec.lookback
    if chunk_len % lookback:
        raise UsageError(
            f"train.chunk_len is {chunk_len}; wanted a multiple of {lookback}, the samples of the largest frame"
        )


def check_shares(recipe: Recipe, processes: Processes) -> None:
    if recipe.train.batch % processes.size:
        raise UsageError(
            f"train.batch is {recipe.train.batch}; wanted a multiple of {processes.size}, the number of processes"
        )


def resolved(recipe: Recipe, recorded: dict[str, typing.Any], device: torch.device) -> Recipe:
    """The recipe with what it leaves open: as the run to go on with has it, else as the device likes it."""
    from .step.precision import resolved as best

    train, known = recipe.train, recorded.get("precision", "auto")
    precision = best(known if train.precision == "auto" else train.precision, device)
    pieces = train.pieces or recorded.get("pieces", 0)
    return dataclasses.replace(recipe, train=dataclasses.replace(train, precision=precision, pieces=pieces))
