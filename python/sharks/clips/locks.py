"""Who writes clips into a folder has it alone, or together with processes of other ranks.

Two that do not know of each other would take the manifest, and a clip that goes on, out of each other's hands.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator

from ..errors import ResourceError
from ..files import locks
from . import manifest

_DOING = "plays into it"


@contextlib.contextmanager
def locked(folder: pathlib.Path, rank: int | None = None) -> Iterator[None]:
    """Hold a folder that is there: alone, or as one of several ranks. `ResourceError` where another process does."""
    if sys.platform == "win32":
        yield
        return
    with _locked(folder, os.O_RDONLY, shared=rank is not None) as alone:
        if not alone:
            raise locks.refusal(folder, _DOING)
        if rank is None:
            yield
            return
        own, process = path_of(folder, rank), os.getpid()
        with _locked(own, os.O_RDWR | os.O_CREAT) as alone:
            if not alone:
                raise ResourceError(f"{folder}: another process plays share {rank} of it; wait for it")
            try:
                yield
            finally:
                if os.getpid() == process:  # not a forked child
                    own.unlink(missing_ok=True)


def path_of(folder: pathlib.Path, rank: int) -> pathlib.Path:
    """A file that is there while the process of this rank plays."""
    return folder / f".{manifest.name(rank)}.held"


@contextlib.contextmanager
def _locked(path: pathlib.Path, flags: int, shared: bool = False) -> Iterator[bool]:
    with contextlib.ExitStack() as holding:
        try:
            alone = holding.enter_context(locks.locked(path, flags, shared))
        except FileNotFoundError as error:
            raise ResourceError(f"{path}: cannot be opened ({error.strerror}); choose another folder") from None
        yield alone
