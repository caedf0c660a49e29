"""An experiment to a table."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from . import display, options, values


def sweep(
    experiment: Annotated[pathlib.Path, typer.Argument(metavar="FILE.toml", help="What to vary, and what to ask.")],
    data: Annotated[pathlib.Path, typer.Argument(metavar="DATA", help="A dataset, or music to prepare first.")],
    out: Annotated[pathlib.Path, typer.Option("--out", "-o", metavar="FOLDER", help="Runs and table.")] = pathlib.Path(
        "experiments"
    ),
    device: options.TrainingDevice = "auto",
    as_json: options.AsJson = False,
) -> None:
    """Train models that differ in one thing, and compare them.

    The same command again goes on where it stopped.
    """
    from ..projects.make import dataset_of
    from ..projects.sweep import check, read, sweep

    asked = read(experiment)
    check(asked, out, device)
    dataset = dataset_of(data, pathlib.Path("data") / values.named_after(data), asked.preset, asked.changes)
    page = sweep(asked, dataset, out, device=device, tell=display.say)
    display.answer(page.read_text(encoding="utf-8"), {"table": page}, as_json)
