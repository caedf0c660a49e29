"""What packs that played clips say of themselves: read from their headers, by who hears sound and no weights."""

from __future__ import annotations

import pathlib
import typing
from collections.abc import Mapping

from ..errors import PackError
from ..files.tensorfile import TensorFile
from .manifest import Clip


def abouts(folder: pathlib.Path, clips: Mapping[str, Clip]) -> dict[str, dict[str, typing.Any]]:
    """By file name, the `about` of each clip's pack; of one that is gone or damaged, an empty one."""
    packs = {clip.pack for clip in clips.values() if clip.pack}
    said = {pack: _about(folder / pack) for pack in packs}
    return {name: said[clip.pack] if clip.pack else {} for name, clip in clips.items()}


def _about(pack: pathlib.Path) -> dict[str, typing.Any]:
    try:
        with TensorFile(pack) as file:
            return file.parse(file.metadata.get("about", "{}"), "about")
    except PackError:
        return {}
