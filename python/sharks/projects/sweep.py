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

A run lies in FOLDER/runs under its value, its seed and a check of all that decides it. So the same call again goes on
where it stopped, an edited value is trained anew, and experiments that share a folder never take each other's runs.
FOLDER/NAME.md is written after every value.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import statistics
import tomllib
import typing
from collections.abc import Callable, Iterator

from ..errors import SpecError, UsageError, arguments, did_you_mean
from ..families.spec import Spec, parameters
from ..files.atomic import atomically
from ..files.locks import held
from ..recipes import presets

if typing.TYPE_CHECKING:
    from ..dataset.dataset import Dataset
    from ..training import Run

_FIELDS = ("question", "preset", "seeds", "set", "value")
_VALUE_FIELDS = ("name", "set")
_MADE_BY = "Made by `sharks sweep"  # tells our pages from others
_LONGEST = 40  # letters of a value's name in that of its run


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
        text = file.read_text(encoding="utf-8-sig")  # some editors put a mark at the beginning
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: is no experiment ({error}); wanted a TOML file, see docs/experiments") from None
    try:
        return _experiment(file.stem, table)
    except (SpecError, UsageError) as error:
        raise UsageError(f"{file}: {error}") from None


def _experiment(name: str, table: dict[str, typing.Any]) -> Experiment:
    _know(table, _FIELDS)
    rows = table.get("value", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"value is {rows!r:.40}; wanted two or more tables, each under [[value]]")
    for row in rows:
        _know(row, _VALUE_FIELDS)
    names = [row.get("name") for row in rows]
    if len(rows) < 2 or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise UsageError("wanted two or more [[value]] that each have another name")
    preset = table.get("preset")
    if not isinstance(preset, str):
        raise UsageError(f"preset is {preset!r:.40}; wanted a name in quotes, one of those that `sharks presets` lists")
    asked = Experiment(
        name,
        str(table.get("question", "")),
        preset,
        _seeds(table.get("seeds", [0])),
        _settings(table.get("set", {})),
        {row["name"]: _settings(row.get("set", {})) for row in rows},
    )
    for changes in asked.values.values():  # a typo in the last value is found before the first is trained
        presets.override(presets.preset(preset), presets.recipe(preset), asked.changes | changes)
    return asked


def _know(table: dict[str, typing.Any], fields: tuple[str, ...]) -> None:
    for key in table:
        if key not in fields:
            raise UsageError(f"unknown field {key!r}{did_you_mean(key, fields)}")


def _seeds(given: typing.Any) -> tuple[int, ...]:
    whole = isinstance(given, list) and all(type(seed) is int and 0 <= seed < 1 << 63 for seed in given)
    if not whole or not given or len(set(given)) < len(given):
        raise UsageError(f"seeds is {given!r:.40}; wanted one or more different whole numbers from 0, such as [0, 1]")
    return tuple(given)


def _settings(given: typing.Any) -> dict[str, typing.Any]:
    """Settings whose names are quoted, as `"model.dim" = 4`, or whose tables are written out, as `model.dim = 4`."""
    if not isinstance(given, dict):
        raise UsageError(f'set is {given!r:.40}; wanted a table of settings, such as {{ "model.dim" = 512 }}')
    found: dict[str, typing.Any] = {}
    for key, value in given.items():
        found |= {f"{key}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {key: value}
    return found


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
    check(experiment, out, device)
    folder = pathlib.Path(out)
    with held(folder, "sweeps into it"):
        return _swept(experiment, data, folder, device, tell)


def check(experiment: Experiment, out: str | os.PathLike[str], device: str) -> None:
    """Refuse what `sweep` would, before any music is prepared."""
    from ..training.checks import asked

    for changes in experiment.values.values():
        asked(experiment.preset, device=device, **(experiment.changes | changes))
    folder = arguments.path("out", out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; wanted a folder for runs and table")
    _refuse_others(folder / f"{experiment.name}.md")


def _swept(
    experiment: Experiment,
    data: str | os.PathLike[str] | Dataset,
    folder: pathlib.Path,
    device: str,
    tell: Callable[[str], None],
) -> pathlib.Path:
    from ..dataset.dataset import Dataset, load_dataset
    from ..training import train

    music = data if isinstance(data, Dataset) else load_dataset(arguments.path("data", data))
    page = folder / f"{experiment.name}.md"
    found: list[Answer] = []
    for number, (name, changes) in enumerate(experiment.values.items(), start=1):
        runs = []
        for seed in experiment.seeds:
            tell(f"{number}/{len(experiment.values)} {name}, seed {seed}")
            settings = experiment.changes | changes
            place = folder / "runs" / _run_name(name, experiment.preset, seed, music.fingerprint, settings)
            runs.append(train(music, place, experiment.preset, seed=seed, device=device, **settings))
        found.append(_answer(name, runs))
        page.parent.mkdir(parents=True, exist_ok=True)
        with atomically(page) as file:
            file.write(("\n".join(table(experiment, found, runs[0].path)) + "\n").encode())
    return page


def _run_name(value: str, preset: str, seed: int, fingerprint: str, settings: dict[str, typing.Any]) -> str:
    """The value for people, the seed, and a check of everything that decides the run."""
    from ..training.run import rundir

    spec, recipe = presets.override(presets.preset(preset), presets.recipe(preset), settings)
    decides = json.dumps(rundir.config(preset, seed, fingerprint, spec, recipe), sort_keys=True)
    readable = re.sub(r"[^\w.]+", "-", value).strip("-.")[:_LONGEST]
    return f"{readable}-{seed}-{hashlib.sha256(decides.encode()).hexdigest()[:8]}"


def _refuse_others(page: pathlib.Path) -> None:
    if page.exists() and _MADE_BY not in page.read_text(encoding="utf-8", errors="replace"):
        raise UsageError(f"{page}: is there already, and is no table of a sweep; choose another folder")


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
    yield f"{_MADE_BY} {experiment.name}.toml`: preset `{experiment.preset}`, seeds {seeds};"
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
