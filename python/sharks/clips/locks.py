"""Holding a folder: who writes clips into one has it alone, or together with processes of other ranks.

Two that do not know of each other would take the manifest, and a clip that goes on, out of each other's hands. The
system itself keeps the holds (flock), so a process that is killed leaves none. Windows, and file systems without locks,
keep none at all: there it is up to whoever starts the processes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import sys
from collections.abc import Iterator

from ..errors import ResourceError
from . import manifest


@contextlib.contextmanager
def locked(folder: pathlib.Path, rank: int | None = None) -> Iterator[None]:
    """Hold a folder that is there: alone, or as one of several ranks. `ResourceError` where another process does."""
    if sys.platform == "win32":
        yield
        return
    with _locked(folder, os.O_RDONLY, shared=rank is not None) as alone:
        if not alone:
            raise ResourceError(f"{folder}: another process plays into it; wait for it, or choose another folder")
        if rank is None:
            yield
            return
        own = path_of(folder, rank)
        with _locked(own, os.O_RDWR | os.O_CREAT) as alone:
            if not alone:
                raise ResourceError(f"{folder}: another process plays share {rank} of it; wait for it")
            try:
                yield
            finally:
                own.unlink(missing_ok=True)


def path_of(folder: pathlib.Path, rank: int) -> pathlib.Path:
    """A file that is there while the process of this rank plays."""
    return folder / f".{manifest.name(rank)}.held"


@contextlib.contextmanager
def _locked(path: pathlib.Path, flags: int, shared: bool = False) -> Iterator[bool]:
    """Whether the lock could be had; it is kept until the block ends."""
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        raise ResourceError(f"{path}: cannot be opened ({error.strerror}); choose another folder") from None
    try:
        yield _lock(handle, shared)
    finally:
        os.close(handle)


def _lock(handle: int, shared: bool) -> bool:
    import fcntl  # not on Windows

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
    return os.fstat(handle).st_nlink > 0  # else who had it is just leaving, and has taken the file along
