"""Other programs' checkpoints become packs. Readers of their files, and an importer for each program.

Nothing that a file holds is ever run, and neither TensorFlow, Theano nor torch is needed.
"""

from __future__ import annotations

import os
import pathlib
import typing

import numpy as np
from numpy.typing import NDArray

from ..errors import PackError, SpecError, arguments
from ..files.tensorfile import short
from ..packs.pack import Pack
from . import settings
from .containers import Found, open_checkpoint
from .kinds import KINDS, fitting
from .programs import theano
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

    >>> pack = sharks.import_checkpoint("wavenet.pt", config={"layers": 5, "blocks": 2})
    >>> pack.about["import"]["program"], pack.spec.receptive_field
    ('pytorch-wavenet', 63)
    >>> pack.about["import"]["assumed"]
    ['sample rate 16000 assumed: the checkpoint does not say']
    """
    if kind is not None:
        arguments.choice("kind", kind, KINDS)
    path = arguments.path("path", path)
    named = settings.given(config) if config is not None else None
    found = open_checkpoint(path)
    kinds = _kinds(path, found, kind)
    said = named if named is not None else settings.beside(path, KINDS[kinds[0]].keys)
    kind = kinds[0] if len(kinds) == 1 else _told_apart(path, found, kinds, said)
    program, prefix = KINDS[kind], KINDS[kind].prefix(set(found.tensors)) or ""
    source = Source(path, found.tensors, found.settings.joined(said), prefix, program.suffix)
    del found  # the source lets go of each tensor that it has given
    try:
        spec, tensors = program.build(source)
        source.finish()
        if config is not None:
            _check_meant(path, kind, said, source.settings.asked)
        for name in tensors:
            tensors[name] = _kept(tensors[name])
        return Pack(spec, tensors, about={"import": _account(path, kind, source)})
    except SpecError as error:
        raise PackError(f"{path}: {error}") from None


def _kinds(path: pathlib.Path, found: Found, kind: str | None) -> list[str]:
    """The kinds that it may be: the one that is named, if names fit, else all whose names fit."""
    names = set(found.tensors)
    kinds = fitting(found.container, names)
    if kind is None and kinds:
        return kinds
    if kind is not None and (kind in kinds or KINDS[kind].prefix(names) is not None):
        return [kind]
    looks = f"they are of {' or '.join(kinds)}" if kinds else f"no kind has such names; known are {', '.join(KINDS)}"
    raise PackError(f"{path}: {_what(found)}, and {looks}; name the right kind, or another file")


def _told_apart(path: pathlib.Path, found: Found, kinds: list[str], said: Settings) -> str:
    kind = theano.which(said)
    if kind is None:
        raise PackError(
            f"{path}: {_what(found)}, which {' and '.join(kinds)} share, though their levels differ; name one of these "
            "kinds, or the run's args.pkl as config"
        )
    return kind


def _what(found: Found) -> str:
    shown = ", ".join(short(name, quote=False) for name in sorted(found.tensors)[:3])
    return f"is {found.container} with {len(found.tensors)} tensors" + (f" such as {shown}" if shown else "")


def _check_meant(path: pathlib.Path, kind: str, said: Settings, asked: set[str]) -> None:
    """Refuse a config that tells nothing of this program's model, besides perhaps the sample rate."""
    others = said.values.keys() - {"sample_rate"}
    if others and not others & asked:
        shown = ", ".join(short(name, quote=False) for name in sorted(others)[:3])
        raise PackError(
            f"{path}: {said.origin} holds {shown}, and no setting of {kind}; name the config that this checkpoint was "
            "trained with"
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
