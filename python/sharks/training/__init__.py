"""Songs and a spec become weights: `train`. torch is imported when training begins, not before."""

from __future__ import annotations

import contextlib
import os
import pathlib
import typing
from collections.abc import Callable
from dataclasses import dataclass

from .. import terminal
from ..errors import arguments
from ..families.spec import Spec
from ..files.locks import held
from ..recipes.recipe import Recipe
from .checks import asked, check_shares, dataset_of, resolved
from .choice import chosen
from .start import begun_as, first_weights_of, preset_of
from .step.device import device_of, fast, import_torch

if typing.TYPE_CHECKING:
    from ..dataset.dataset import Dataset
    from ..packs.pack import Pack
    from .by_heart import Smoke
    from .loop import Loop
    from .run import rundir

__all__ = ["Run", "smoke", "train"]

# The name of a setting has a dot, so settings come from a dict[str, Any]. Any other keyword that is no parameter is a
# typo, and type checkers say so.
Setting = typing.Never


@dataclass(frozen=True)
class Run:
    """A training run on disk. NLL in bits per sample; NaN without held-out music."""

    path: pathlib.Path
    preset: str
    spec: Spec
    recipe: Recipe
    step: int  # steps done
    best_step: int | None  # of best.safetensors
    nll: float  # of best.safetensors, on all held-out music
    order0: float  # what guessing by the training music's histogram costs there
    hours: float = 0.0  # spent training, in all calls

    @property
    def best(self) -> pathlib.Path:
        """The pack to play."""
        return self.path / "best.safetensors"


def train(
    data: str | os.PathLike[str] | Dataset,
    out: str | os.PathLike[str],
    preset: str | None = None,
    *,
    steps: int | None = None,
    hours: float | None = None,
    batch: int | None = None,
    device: str = "auto",
    seed: int = 0,
    resume: bool = True,
    start: str | os.PathLike[str] | Pack | None = None,
    ask: Callable[[str], bool] | None = None,
    quiet: bool = False,
    tensorboard: bool = False,
    **overrides: Setting,
) -> Run:
    """Fit a preset's model to a dataset that `prepare` made -> `Run`; the same call again goes on where it stopped.

    Without a `preset`, a run that is there decides, else what this computer can train (`sharks doctor` names it).
    `steps` and `batch` replace the recipe's; `hours` ends it earlier, and a falling learning rate then falls with the
    clock. `overrides` name fields of the spec or the recipe: `**{"model.dim": 512, "train.learning_rate": 5e-4}`.
    `seed` decides first weights and order. `resume=False` begins anew. Progress goes to stderr unless `quiet`.
    `start`: a pack or run whose weights are the first ones; the model is then its model, and the preset the one it was
    trained with, unless another of the same model is given.
    `ask` is given a sentence before a training that takes days and has no `hours`, or too few for a first preview; if
    it says False, a `UsageError` is raised and nothing is left behind. Without it the sentence is only said.
    `tensorboard` writes the same for TensorBoard into out/tb.

    `out` becomes a run directory (see rundir.py) whose best.safetensors is a pack at every moment after the first
    checkpoint. Ctrl-C writes a checkpoint and raises `KeyboardInterrupt`. Raises `UsageError` or `SpecError` for
    arguments, `AudioError` for a dataset that cannot be used, `ResourceError` for disk, memory or device, and where
    another process trains into `out`.

    >>> data = sharks.prepare("songs", "data", preset="dadabots-2tier-tiny")
    >>> smaller = {"model.dim": 16, "train.chunk_len": 4096, "train.preview_seconds": 0.1}
    >>> run = sharks.train(data, "night", "dadabots-2tier-tiny", steps=2, batch=2, quiet=True, **smaller)
    >>> run.step, run.best.name
    (2, 'best.safetensors')
    """
    folder, tell = arguments.path("out", out), _silent if arguments.flag("quiet", quiet) else _say
    resume, tensorboard = arguments.flag("resume", resume), arguments.flag("tensorboard", tensorboard)
    arguments.function("ask", ask)
    pack = None if start is None else begun_as(start)
    wish = preset if pack is None else preset or preset_of(pack)
    wanted: dict[str, typing.Any] = {
        "steps": steps,
        "hours": hours,
        "batch": batch,
        "device": device,
        "seed": seed,
        **overrides,
    }
    preset = chosen(wish, folder, device, tell)
    spec, recipe = asked(preset, pack, **wanted)
    dataset = dataset_of(data, spec)
    preset = chosen(wish, folder, device, tell, dataset.minutes_to_learn)
    spec, recipe = asked(preset, pack, **wanted)
    hours, seed = None if hours is None else float(hours), int(seed)
    first_weights = first_weights_of(folder if resume else None, pack)
    with contextlib.nullcontext() if quiet else terminal.stderr().busy("loading torch"):
        import_torch()
    from .job import Job
    from .loop import Loop
    from .run import rundir
    from .step import memory
    from .step.processes import Processes, local_device
    from .watch.display import Display, Silent

    place = local_device(device_of(device))
    config = rundir.config(preset, seed, dataset.fingerprint, spec, recipe, first_weights)
    rundir.check(folder, config, resume)
    processes = Processes(place)
    resume = resume or processes.restarted
    holding = contextlib.ExitStack()
    try:
        check_shares(recipe, processes)
        if processes.first:
            holding.enter_context(held(folder, "trains into it"))
            rundir.check(folder, config, resume)  # who had it before may have made another run of it
        recipe = resolved(recipe, rundir.recorded(folder) if resume else {}, place)
        display = Silent if quiet else Display
        job = Job(dataset, folder, preset, spec, recipe, seed, hours, place, resume, display, tensorboard, pack, ask)
        with memory.refusals(place, recipe.train), fast(place):
            with display.busy("making the model ready to learn"):
                loop = Loop(job, processes)
            recipe = loop.job.recipe
            config = rundir.config(preset, seed, dataset.fingerprint, spec, recipe, first_weights)
            if not loop.finished:
                loop.rehearse()
            if processes.first:
                _record(loop, config, tell)
            held_out = loop.run()
    finally:
        holding.close()
        processes.leave()
    return Run(
        folder,
        preset,
        spec,
        recipe,
        loop.learner.steps,
        loop.progress.best_step,
        held_out,
        loop.music.order0,
        loop.progress.hours,
    )


def _record(loop: Loop, config: rundir.Config, tell: Callable[[str], None]) -> None:
    """Write down what the run is trained with, unless it is finished: then what it was trained with stays."""
    from .run import rundir

    folder = loop.job.folder
    if not loop.finished:
        rundir.enter(folder, config, loop.job.resume)
        rundir.note_environment(folder, str(loop.job.device))
        return
    for setting in rundir.changed(folder, config):
        tell(
            f"{folder}: is finished at step {loop.step:,}, so {setting} changes nothing; train it further with more "
            "steps, or choose another folder"
        )


def smoke(
    data: str | os.PathLike[str] | Dataset,
    preset: str | None = None,
    *,
    minutes: float = 5.0,
    device: str = "auto",
    seed: int = 0,
    tell: Callable[[str], None] = lambda line: None,
    **overrides: Setting,
) -> Smoke:
    """Learn two seconds of the music by heart -> `Smoke`: do data and settings work at all? Nothing is written.

    The arguments are those of `train`, but no run decides the preset. An `Error` if the loss is not below 1 bit per
    sample within `minutes`.
    """
    minutes = arguments.positive("minutes", minutes)
    arguments.function("tell", tell)
    spec, recipe = asked(chosen(preset, None, device, tell), device=device, seed=seed, **overrides)
    dataset = dataset_of(data, spec)
    import_torch()
    from .by_heart import smoke as learn
    from .step import memory

    place = device_of(device)
    with memory.refusals(place, recipe.train), fast(place):
        return learn(dataset, spec, resolved(recipe, {}, place), place, seed, minutes, tell)


def _say(line: str) -> None:
    terminal.stderr().say(line)


def _silent(line: str) -> None:
    pass
