"""Holding a folder: one process at a time writes into it.

The system itself keeps the holds (flock on the folder), so they leave nothing on the disk, and a process that dies
lets go of its own. Windows, and file systems without locks, keep none at all: there it is up to whoever starts the
processes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import sys
from collections.abc import Iterator

from ..errors import ResourceError
from .atomic import written

_kept: set[int] = set()  # the descriptors that hold something


@contextlib.contextmanager
def held(folder: str | os.PathLike[str], doing: str, wait: bool = False) -> Iterator[None]:
    """Hold a folder alone. It is made if it is not there, and goes again if nothing was put into it.

    `doing` ends the sentence of whoever comes second, such as "trains into it": a `ResourceError`, or with `wait` it
    waits for its turn.
    """
    path = pathlib.Path(folder)
    if sys.platform == "win32":
        yield
        return
    with contextlib.ExitStack() as holding:
        while True:
            new = [place for place in (path, *path.parents) if not place.exists()]
            with written(path):
                path.mkdir(parents=True, exist_ok=True)
            try:
                mine = holding.enter_context(locked(path, os.O_RDONLY, wait=wait))
            except FileNotFoundError:  # who had made it had nothing to put into it
                continue
            if mine or (not wait and path.exists()):
                break
            holding.close()
        if not mine:
            raise refusal(path, doing)
        process = os.getpid()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # not empty
                for place in new if os.getpid() == process else ():  # not in a forked child
                    place.rmdir()


@contextlib.contextmanager
def locked(path: pathlib.Path, flags: int, shared: bool = False, wait: bool = False) -> Iterator[bool]:
    """Whether the lock of a file or folder could be had; it is kept until the block ends.

    A child that is forked meanwhile has no part in it. `FileNotFoundError` where nothing is there.
    """
    try:
        handle = os.open(path, flags, 0o666)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ResourceError(f"{path}: cannot be opened ({error.strerror}); choose another folder") from None
    _kept.add(handle)
    try:
        yield _lock(handle, shared, wait)
    finally:
        if handle in _kept:  # else this is a forked child, in which the number may mean another file
            _kept.remove(handle)
            os.close(handle)


def refusal(folder: pathlib.Path, doing: str) -> ResourceError:
    """What is said to the process that comes second."""
    holder = _holder(folder)
    who = f" (process {holder})" if holder else ""
    tasks = os.environ.get("SLURM_NTASKS", "1") if "SLURM_STEP_ID" in os.environ else "1"
    srun = f"srun started {tasks} that do not know of each other: start one, or use torchrun"
    return ResourceError(
        f"{folder}: another process {doing}{who}; "
        + (srun if tasks != "1" else "wait for it, or end it, or choose another folder")
    )


def started_together() -> bool:
    """Whether torchrun, or something like it, started this process as one of several that do the same."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _lock(handle: int, shared: bool, wait: bool) -> bool:
    import fcntl  # not on Windows

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
    return os.fstat(handle).st_nlink > 0  # else who had it is just leaving, and has taken the file along


def _holder(path: pathlib.Path) -> int | None:
    """The process that holds a folder, where Linux tells; None for one on another computer, or out of sight."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        number = os.stat(path).st_ino
        for line in pathlib.Path("/proc/locks").read_text().splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE 4711 fe:00:2147427 0 EOF
            if words[1] == "FLOCK" and int(words[5].split(":")[2]) == number:
                return int(words[4]) if int(words[4]) > 0 else None
    return None


def _let_go() -> None:
    """In a forked child: the holds are its parent's, which could not end them while the child has them open."""
    for handle in _kept:
        os.close(handle)
    _kept.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
