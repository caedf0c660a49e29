"""Another program's checkpoint to a pack."""

from __future__ import annotations

import pathlib
import re
from typing import Annotated

import typer

from . import display, options

AUTO = "auto"
_ENDINGS = re.compile(r"\.(index|pt|pth|pkl|pickle|ckpt)$")


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="prism, ibab, deepsound, s4, vincentherrmann, iclr2017, dadabots, or auto; may be left out.",
        ),
    ],
    checkpoint: Annotated[
        str | None, typer.Argument(metavar="PATH", help="A file, a prefix such as model.ckpt-7, or its folder.")
    ] = None,
    config: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="FILE", help="The program's own settings; looked for beside the checkpoint."),
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The pack; NAME.safetensors if not given."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Turn another program's checkpoint into a pack. Nothing in it is run.

    Says what had to be assumed and what was dropped.
    """
    import sharks

    from ..errors import UsageError
    from ..packs.pack import SUFFIX

    if checkpoint is None:
        kind, checkpoint = AUTO, kind
    target = out or pathlib.Path(_ENDINGS.sub("", pathlib.Path(checkpoint).resolve().name) + SUFFIX)
    if target.suffix != SUFFIX:
        raise UsageError(f"-o {target}: a pack's name ends in {SUFFIX}; choose such a name")
    pack = sharks.import_checkpoint(checkpoint, None if kind == AUTO else kind, config)
    if out is None:
        _refuse_another(target, pack.sha256)
    account = pack.about["import"]
    display.say(f"{account['kind']} ({account['program']}), settings from {account['settings'] or 'the tensors alone'}")
    for line in (*account["assumed"], *account["dropped"]):
        display.say(line)
    pack.save(target)
    display.answer(str(target), {"pack": target, **account}, as_json)


def _refuse_another(target: pathlib.Path, sha256: str) -> None:
    """Under a name that nobody gave, nothing is written over but the same pack."""
    from ..errors import PackError, UsageError
    from ..packs.pack import load

    if not target.exists():
        return
    try:
        same = load(target).sha256 == sha256
    except PackError:
        same = False
    if not same:
        raise UsageError(f"{target}: is there already, and is another pack; name this one with -o")
