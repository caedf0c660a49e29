"""The model in the box: a pack that comes with sharks, and goes by the name `box` wherever a pack may be named.

It lies in projects/box/, with the licence of the songs it was trained on; docs/model-card.md says how.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import pathlib
from collections.abc import Iterator

from ..errors import UsageError

NAME = "box"
_ROOM = importlib.resources.files(__package__.rpartition(".")[0]) / "projects" / "box"
_PACK = "muldjord.safetensors"


def meant(path: str | os.PathLike[str], best: str) -> bool:
    """Whether it names the model in the box: it is its name, and no pack and no run (with its `best`) lies there."""
    return str(path) == NAME and not (pathlib.Path(NAME).is_file() or (pathlib.Path(NAME) / best).exists())


@contextlib.contextmanager
def file() -> Iterator[pathlib.Path]:
    """The file of the pack; `UsageError` in a build that has none."""
    with importlib.resources.as_file(_ROOM / _PACK) as path:
        if not path.exists():
            raise UsageError(
                "this build of sharks has no trained model in it; name music to learn from or a pack to play: "
                "sharks demo FOLDER, or sharks demo PACK"
            )
        yield path
