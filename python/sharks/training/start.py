"""A training that does not begin as noise but as a pack: to teach a trained model another music."""

from __future__ import annotations

import os
import pathlib

from ..errors import UsageError
from ..families.spec import Spec, to_dict
from ..packs.pack import Pack, pack_of
from ..recipes.presets import presets
from .run import checkpoint, rundir


def begun_as(start: str | os.PathLike[str] | Pack) -> Pack:
    """The pack of a file or a run, or the one that is given. `PackError` where there is none."""
    return pack_of(start, "start")


def preset_of(pack: Pack) -> str:
    """What a pack was trained with; `UsageError` where it does not say, as one of another program."""
    name = pack.about.get("preset")
    if name not in presets():
        raise UsageError(
            f"{_name(pack)}: does not say which preset it was trained with; name one of the same model (-p, in Python "
            "preset=)"
        )
    return str(name)


def check_same_model(pack: Pack, spec: Spec) -> None:
    """`UsageError` where `spec` is another model than the pack's, whose weights then fit nowhere."""
    had, wanted = to_dict(pack.spec), to_dict(spec)
    differ = [name for name in {**wanted, **had} if had.get(name) != wanted.get(name)]
    if differ:
        name = differ[0]
        raise UsageError(
            f"{_name(pack)}: its model has {name} {had.get(name)!r}, wanted {wanted.get(name)!r}; set model.{name} as "
            "the pack has it, or choose a preset of the same model"
        )


def first_weights_of(run: pathlib.Path | None, pack: Pack | None) -> str | None:
    """The SHA-256 of the pack that the weights begin as, or began as in the run to go on with; None: as noise."""
    began = rundir.start(run) if run is not None else None
    if pack is not None:
        return pack.sha256
    if began and run is not None and not checkpoint.steps(run / rundir.CHECKPOINTS):
        raise UsageError(
            f"{run}: was to begin as a pack, and has no checkpoint yet; name the pack again, or begin anew"
        )
    return began


def _name(pack: Pack) -> str:
    return str(pack.path or "the pack")
