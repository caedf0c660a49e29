"""One question, asked of several trainings that differ in one thing, and the answers as a table that can be kept.

An experiment is a TOML file:

    question = "How far back must a WaveNet hear?"
    preset = "ibab-wavenet-tiny"
    seeds = [0, 1]                                   # every value is trained once with each

    [set]                                            # for all of them
    "train.steps" = 2000

    [[value]]
    name = "32 ms"
    set = { "model.dilations" = [1, 2, 4, 8, 16, 32, 64, 128, 256] }

Runs lie in FOLDER/runs, and the same call again goes on where it stopped. FOLDER/NAME.md is written after every run.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import statistics
import tomllib
import typing
from collections.abc import Callable, Iterator

from ..errors import UsageError, did_you_mean
from ..families.spec import Spec, parameters
from ..files.atomic import atomically
from ..files.locks import held

if typing.TYPE_CHECKING:
    from ..dataset.dataset import Dataset
    from ..training import Run

_FIELDS = ("question", "preset", "seeds", "set", "value")


@dataclasses.dataclass(frozen=True)
class Experiment:
    name: str
    question: str
    preset: str
    seeds: tuple[int, ...]
    changes: dict[str, typing.Any]  # for all values
    values: dict[str, dict[str, typing.Any]]  # of each by its name


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one value came to, over its seeds. NLL in bits per sample."""

    name: str
    parameters: int
    hears_ms: float  # a WaveNet's receptive field, or the stretch that a SampleRNN's gradients cross
    steps: int
    hours: float  # of training, of one seed
    nlls: tuple[float, ...]  # on all held-out music, of each seed
    order0: float
    healthy: str  # of the last previews

    @property
    def nll(self) -> float:
        return statistics.mean(self.nlls)


def read(path: str | os.PathLike[str]) -> Experiment:
    """An experiment from its file; `UsageError` where it is none."""
    file = pathlib.Path(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: is no experiment ({error}); wanted a TOML file, see docs/experiments") from None
    for key in table:
        if key not in _FIELDS:
            raise UsageError(f"{file}: unknown field {key!r}{did_you_mean(key, _FIELDS)}")
    values = {row.get("name", ""): row.get("set", {}) for row in table.get("value", [])}
    if not table.get("preset") or len(values) != len(table.get("value", [])) or len(values) < 2 or "" in values:
        raise UsageError(f"{file}: wanted a preset, and two or more [[value]] that each have another name")
    seeds = tuple(table.get("seeds", [0]))
    return Experiment(
        file.stem, str(table.get("question", "")), table["preset"], seeds, dict(table.get("set", {})), values
    )


def sweep(
    experiment: Experiment,
    data: str | os.PathLike[str] | Dataset,
    out: str | os.PathLike[str],
    *,
    device: str = "auto",
    tell: Callable[[str], None] = lambda line: None,
) -> pathlib.Path:
    """Train every value with every seed, and write the table; its path. The same call again goes on.

    Raises what `train` raises, and `ResourceError` where another process sweeps into `out`.
    """
    folder = pathlib.Path(out)
    with held(folder, "sweeps into it"):
        return _swept(experiment, data, folder, device, tell)


def _swept(
    experiment: Experiment,
    data: str | os.PathLike[str] | Dataset,
    folder: pathlib.Path,
    device: str,
    tell: Callable[[str], None],
) -> pathlib.Path:
    from ..training import train

    page = folder / f"{experiment.name}.md"
    found: list[Answer] = []
    for number, (name, changes) in enumerate(experiment.values.items(), start=1):
        runs = []
        for seed in experiment.seeds:
            tell(f"{number}/{len(experiment.values)} {name}, seed {seed}")
            place = folder / "runs" / f"{number:02d}-{seed}"
            settings = experiment.changes | changes
            runs.append(train(data, place, experiment.preset, seed=seed, device=device, **settings))
        found.append(_answer(name, runs))
        page.parent.mkdir(parents=True, exist_ok=True)
        with atomically(page) as file:
            file.write(("\n".join(table(experiment, found, runs[0].path)) + "\n").encode())
    return page


def _answer(name: str, runs: list[Run]) -> Answer:
    from ..training.run import rundir

    first = runs[0]
    rows = rundir.rows(first.path)
    verdicts: list[str] = next((row["previews"] for row in reversed(rows) if "previews" in row), [])
    return Answer(
        name=name,
        parameters=parameters(first.spec),
        hears_ms=1000 * _heard(first.spec, first.recipe.train.chunk_len) / first.spec.sample_rate,
        steps=first.step,
        hours=first.hours,
        nlls=tuple(run.nll for run in runs),
        order0=first.order0,
        healthy=f"{sum(v == 'ok' for v in verdicts)}/{len(verdicts)}" if verdicts else "",
    )


def _heard(spec: Spec, chunk_len: int) -> int:
    """Samples: what gradients cross where the state is carried, what a prediction sees where it is not."""
    return chunk_len if spec.carries_state else spec.context


def table(experiment: Experiment, found: list[Answer], run: pathlib.Path) -> Iterator[str]:
    """The page: question, settings, what it ran on, and a line per value."""
    machine = json.loads((run / "env.json").read_text()) if (run / "env.json").exists() else {}
    seeds = ", ".join(map(str, experiment.seeds))
    yield from (f"# {experiment.question or experiment.name}", "")
    yield f"Made by `sharks sweep {experiment.name}.toml`: preset `{experiment.preset}`, seeds {seeds};"
    yield f"sharks {machine.get('sharks', '?')}, torch {machine.get('torch', '?')} on {machine.get('device', '?')}."
    yield "Bits per sample on all held-out music, by the checkpoint that was best on a part of it; the mean over seeds"
    yield f"and, where there are several, how far apart they lie. Order-0 is {found[0].order0:.3f} bits."
    if experiment.changes:
        common = ", ".join(f"`{key} = {value}`" for key, value in experiment.changes.items())
        yield from ("", f"For all: {common}.")
    yield ""
    heads = ("value", "parameters", "hears", "steps", "hours", "held-out bits", "under order-0", "previews ok")
    yield from (f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}")
    for row in found:
        spread = f" (apart {max(row.nlls) - min(row.nlls):.3f})" if len(row.nlls) > 1 else ""
        cells = [row.name, f"{row.parameters:,}", f"{row.hears_ms:.0f} ms", f"{row.steps:,}", f"{row.hours:.2f}"]
        cells += [f"{row.nll:.3f}{spread}", f"{row.order0 - row.nll:.3f}", row.healthy]
        yield f"| {' | '.join(cells)} |"
