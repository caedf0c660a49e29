"""Options that several verbs share: one name, one meaning, one sentence of help."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from . import completions

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        "-p",
        metavar="NAME",
        help="What to build: see `sharks presets`; or a file of your own. What fits this computer if not given.",
        autocompletion=completions.presets,
    ),
]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help="Change a number of the preset: model.dim=512.")
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="auto, cpu, gpu (cuda), or reference (numpy, slow).", autocompletion=completions.devices
    ),
]
TrainingDevice = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu or gpu (cuda).", autocompletion=completions.devices)
]
Model = Annotated[
    pathlib.Path,
    typer.Argument(metavar="RUN|PACK", help="A run, a .safetensors pack, or box.", autocompletion=completions.packs),
]
Dtype = Annotated[str, typer.Option(metavar="TYPE", help="How weights are stored while playing.")]
Plan = Annotated[
    str,
    typer.Option(metavar="NAME", help="Way of playing on a GPU: default, throughput (hundreds of clips), or its name."),
]
Threads = Annotated[int | None, typer.Option(metavar="N", help="CPU threads; as many as help if not given.")]
Temperature = Annotated[
    str | None,
    typer.Option(
        "--temperature",
        "-t",
        metavar="T",
        help="0.95; 0.9,1.0 per clip; 0s:0.9,30s:1.1 over time. The pack's own if not given.",
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same result.")]
Minutes = Annotated[str, typer.Option(metavar="A-B", help="How short and how long a song may be, such as 3-5.")]
Hours = Annotated[
    str | None, typer.Option(metavar="TIME", help="Train for so long: 8 is eight hours, as is 8h; 30m, 1:30.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Begin a training of days without being asked.")]
Steps = Annotated[int | None, typer.Option(metavar="N", help="Train for so many steps.")]
