"""Looking without changing anything: presets, files, this machine."""

from __future__ import annotations

import pathlib
import typing
from typing import Annotated

import typer

from . import completions, display, options


def doctor(as_json: options.AsJson = False) -> None:
    """Say what works on this machine.

    Engines, decoders, optional packages, disk; and at the end whether all is ready, and what to do next.
    """
    from ..proof.doctor import examine, plays

    found = examine()
    lines = [f"{name:12} {value}" for name, value in found.items()]
    display.answer("\n".join(lines), found, as_json)
    if not plays():
        raise typer.Exit(4)


def check(
    pack: options.Model,
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    plan: options.Plan = "default",
    as_json: options.AsJson = False,
) -> None:
    """Prove a pack on this machine.

    Its golden steps are played and compared: is the file whole, is the engine right?
    """
    import dataclasses

    from ..proof.check import check

    report = check(pack, device=device, dtype=dtype, plan=plan)
    display.answer(f"{pack}: {report}", {"pack": pack, **dataclasses.asdict(report)}, as_json)
    if not report.ok:
        raise typer.Exit(3)


def presets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One preset, with every number.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """List the presets, or print one.

    Every number of a preset stands there with its source.
    """
    from ..proof.fitting import fitting
    from ..proof.machine import this_machine
    from ..recipes.presets import presets, text
    from ..terminal.units import span

    if name is not None:
        summary = _preset(name)
        facts = f"# {summary['parameters']:,} parameters; {summary['memory']}"
        display.answer(f"{text(name).rstrip()}\n\n{facts}", {**summary, "text": text(name)}, as_json)
        return
    rows = [_preset(name) for name in presets()]
    machine = this_machine()
    shown = [("preset", "what for", "music", "first sound", "in all")]
    for row in rows:
        waits = [span(row[key]) if row[key] is not None else "-" for key in ("first_sound_seconds", "training_seconds")]
        music = span(60 * row["music_minutes"]) if row["music_minutes"] else "-"
        shown.append((row["name"], row["use"], music, *waits))
    lines = [f"{a:20} {b:30} {c:>6} {d:>11} {e:>8}".rstrip() for a, b, c, d, e in shown]
    fits = fitting(machine)
    lines += [
        "",
        "music: what it wants at least. Times are estimates for this computer, from its",
        f"speed: {machine}. Without -p it takes {fits}.",
        "sharks presets NAME says more of one.",
    ]
    display.answer("\n".join(lines), {"presets": rows, "machine": str(machine), "fits": fits}, as_json)


def _preset(name: str) -> dict[str, typing.Any]:
    from ..families.spec import parameters
    from ..proof.fitting import times
    from ..proof.machine import this_machine
    from ..recipes.presets import guide, preset, recipe

    model, asked = preset(name), guide(name)
    known = times(name, this_machine())
    return {
        "name": name,
        "about": recipe(name).about,
        "use": asked.use,
        "music_minutes": asked.minutes,
        "first_sound_seconds": known and round(known.first_sound),
        "training_seconds": known and round(known.whole),
        "family": model.family,
        "sample_rate": model.sample_rate,
        "parameters": parameters(model),
        "memory": model.reach,
    }


def info(
    file: Annotated[
        pathlib.Path,
        typer.Argument(metavar="PATH", help="Anything that sharks makes or takes.", autocompletion=completions.packs),
    ],
    as_json: options.AsJson = False,
) -> None:
    """Say what a file or folder is, and what to do with it.

    A sound, a clip, clips, a song, an album, a dataset, a run, a project, a pack, a preset, a foreign checkpoint.
    """
    from ..projects.what import what
    from ..sound.reading import shown

    facts = what(file)
    lines = [f"{shown(name):12} {shown(str(value))}" for name, value in facts.items()]  # texts may be anybody's
    display.answer("\n".join(lines), facts, as_json)
