"""Other programs' checkpoints become packs. Readers of their files, and an importer for each program.

Nothing that a file holds is ever run, and neither TensorFlow, Theano nor torch is needed.
"""

from __future__ import annotations

import os
import pathlib
import typing

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError, SpecError, UsageError
from ..pack import Pack
from ..spec import did_you_mean
from ..tensorfile import short
from . import settings, theano
from .containers import Found, open_checkpoint
from .kinds import KINDS, fitting
from .settings import Settings
from .source import Source

__all__ = ["KINDS", "import_checkpoint"]

_Path = str | os.PathLike[str]


def import_checkpoint(
    path: _Path, kind: str | None = None, config: _Path | typing.Mapping[str, typing.Any] | None = None
) -> Pack:
    """The pack that plays what another program's checkpoint plays.

    path      a file, the prefix of a TensorFlow checkpoint, or the folder of one
    kind      whose it is, one of `KINDS`; None: found out from the names in it
    config    the program's own settings, a file or a dict; None: looked for beside the checkpoint

    `pack.about["import"]` says what was read, what had to be assumed and what was dropped. Raises `PackError`, one
    sentence with the tensor's name, for whatever is missing, left over, damaged or cannot be played as it was trained;
    `UsageError` for an unknown kind.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"kind is {kind!r}{did_you_mean(str(kind), KINDS)}")
    path = pathlib.Path(path)
    found = open_checkpoint(path)
    names = set(found.tensors)
    kind, said = _kind_and_settings(path, found, names, kind, config)
    program = KINDS[kind]
    source = Source(path, found.tensors, said, program.prefix(names) or "", program.suffix)
    del found  # the source lets go of each tensor that it has given
    try:
        spec, tensors = program.build(source)
        source.finish()
        for name in tensors:
            tensors[name] = _kept(tensors[name])
        return Pack(spec, tensors, about={"import": _account(path, kind, source)})
    except SpecError as error:
        raise PackError(f"{path}: {error}") from None


def _kind_and_settings(
    path: pathlib.Path,
    found: Found,
    names: set[str],
    kind: str | None,
    config: _Path | typing.Mapping[str, typing.Any] | None,
) -> tuple[str, Settings]:
    kinds = fitting(found.container, names)
    if kind is not None and kind not in kinds and KINDS[kind].prefix(names) is None:
        looks = f"they are of {' or '.join(kinds)}" if kinds else f"a checkpoint of {kind} has others"
        raise PackError(f"{path}: {_what(found, names)}, and {looks}; name the right kind")
    if not kinds and kind is None:
        raise PackError(f"{path}: {_what(found, names)}, and no kind has such names; known are {', '.join(KINDS)}")
    said = settings.given(config) if config is not None else settings.beside(path, KINDS[kind or kinds[0]].keys)
    if kind is None and len(kinds) > 1:
        kinds = [choice] if (choice := theano.which(said)) else kinds
    if kind is None and len(kinds) > 1:
        raise PackError(
            f"{path}: {_what(found, names)}, which {' and '.join(kinds)} share, though their levels differ; name one "
            "of these kinds, or the run's args.pkl as config"
        )
    return kind or kinds[0], found.settings.joined(said)


def _what(found: Found, names: set[str]) -> str:
    shown = ", ".join(short(name, quote=False) for name in sorted(names)[:3])
    return (
        f"is {found.container} with {len(names)} tensors such as {shown}"
        if names
        else f"is {found.container} without tensors"
    )


def _kept(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """As a pack keeps it without another copy: contiguous and read-only."""
    array = np.ascontiguousarray(array, np.float32)
    array.flags.writeable = False
    return array


def _account(path: pathlib.Path, kind: str, source: Source) -> dict[str, typing.Any]:
    """What the pack says of its origin; plain values."""
    return {
        "kind": kind,
        "program": KINDS[kind].program,
        "file": path.name,
        "settings": source.settings.origin,
        "assumed": source.assumed,
        "dropped": source.dropped,
    }
