"""Turns among processes of tests: a test may have the machine to itself, a build its folder."""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import typing

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "build"


@contextlib.contextmanager
def turn(alone: bool) -> typing.Iterator[None]:
    """Wait until this process may go on: beside others, or alone.

    All come through one door, so that whoever waits inside it to be alone is the next.
    """
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with contextlib.ExitStack() as room:
        with locked(FOLDER / "door.lock"):
            room.enter_context(locked(FOLDER / "room.lock", how))
        yield


@contextlib.contextmanager
def locked(path: pathlib.Path, how: int = fcntl.LOCK_EX) -> typing.Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # a child that was forked may hold the file open
