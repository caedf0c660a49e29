"""Songs to a dataset, a dataset to a run."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Annotated

import typer

from . import display, options, values

SMOKE_MINUTES = 5.0


def prepare(
    songs: Annotated[list[pathlib.Path], typer.Argument(metavar="FOLDER|FILE...", help="Music in any format.")],
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="The dataset; data/NAME if not given.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", "-p", metavar="NAME", help="Take the numbers below from a preset.")
    ] = None,
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Samples per second.")] = None,
    channels: Annotated[
        str, typer.Option(metavar="HOW", help="mono mixes down; each makes tracks of channels.")
    ] = "mono",
    val: Annotated[float | None, typer.Option(metavar="PART", help="Of the songs, held out for validation.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a dataset of other music, though a run learnt from it.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Turn music into a dataset.

    Says what was used, what was skipped and why.
    """
    from ..dataset.prepare import prepare

    dataset = prepare(
        [str(song) for song in songs],
        out or pathlib.Path("data") / values.named_after(songs[0]),
        preset=preset,
        sample_rate=rate,
        channels=channels,
        val_fraction=val,
        replace=replace or display.asks("replace it?") or False,
        progress=display.of_files,
    )
    display.last(f"dataset: {dataset.path}")
    summary = {
        "dataset": dataset.path,
        "hours": dataset.hours,
        "sample_rate": dataset.sample_rate,
        "entropy_bits": dataset.entropy_bits,
        "tracks": [track._asdict() if hasattr(track, "_asdict") else vars(track) for track in dataset.tracks],
        "skipped": [{"name": name, "reason": reason} for name, reason in dataset.skipped],
        "warnings": list(dataset.warnings),
    }
    display.answer(dataset.report(), summary, as_json)


def train(
    data: Annotated[pathlib.Path, typer.Argument(metavar="DATA|FOLDER", help="A dataset, or music to prepare first.")],
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="The run; runs/NAME if not given.")
    ] = None,
    preset: options.Preset = None,
    settings: options.Settings = [],  # noqa: B006
    steps: options.Steps = None,
    hours: options.Hours = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", help="Streams per step; as the preset if not given.")
    ] = None,
    device: options.TrainingDevice = "auto",
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first weights and the order of the data.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again, though the run has checkpoints.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="PACK", help="Begin as this pack or run; box is the one in the box.")
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Only learn two seconds by heart: do data and settings work?")
    ] = False,
    yes: options.Yes = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write for TensorBoard too, into tb.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Fit a model to a dataset. The same command again goes on where it stopped.

    Started by torchrun, each process learns from its share of every batch.
    """
    from ..projects.make import dataset_of
    from ..training import smoke as learn_by_heart
    from ..training import train
    from ..training.checks import asked
    from ..training.choice import chosen
    from ..training.run import rundir
    from ..training.start import begun_as, preset_of

    changes, name = values.settings(settings), values.named_after(data)
    folder = out or pathlib.Path("runs") / name
    pack = None if start is None else begun_as(start)
    wish = preset if pack is None else preset or preset_of(pack)
    preset = chosen(wish, folder, device, display.say)
    within = values.hours(hours)
    asked(preset, pack, steps=steps, hours=within, batch=batch, device=device, seed=seed, **changes)
    if not smoke:
        rundir.refuse_others(folder)
    dataset = dataset_of(data, pathlib.Path("data") / name, preset, changes)
    preset = chosen(wish, folder, device, display.say, dataset.minutes_to_learn)
    if smoke:
        minutes = SMOKE_MINUTES if within is None else within * 60
        found = learn_by_heart(dataset, preset, minutes=minutes, device=device, seed=seed, tell=display.say, **changes)
        display.answer(str(found), dataclasses.asdict(found), as_json)
        return
    run = train(
        dataset,
        folder,
        preset,
        steps=steps,
        hours=within,
        batch=batch,
        device=device,
        seed=seed,
        resume=not fresh,
        start=pack,
        ask=None if yes else display.asks("begin all the same?"),
        tensorboard=tensorboard,
        **changes,
    )
    display.answer(f"{run.path}/best.safetensors", {"run": run.path, "step": run.step}, as_json)
