"""The log of a run: one row per step, validation, round of previews and verdict. `rundir.rows` reads it."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import typing

from ...files.atomic import atomically, written
from ..run import rundir
from .listener import Listener


class Log(Listener):
    """log.jsonl: rows are dicts with a `step`. `flush` brings them to the disk.

    What the disk refuses is a `ResourceError` at once; a row cut short by that is dropped when the run goes on.
    """

    def __init__(self, folder: pathlib.Path, step: int) -> None:
        """Go on after `step`: rows beyond it, and a row cut short, belong to work that is done again."""
        self._path = folder / rundir.LOG
        kept = [row for row in rundir.rows(folder) if row["step"] <= step]
        with atomically(self._path) as file:
            file.writelines(_line(row) for row in kept)
        with written(self._path):
            self._file = open(self._path, "ab", buffering=0)  # nothing waits in memory for a disk that is full

    def learnt(self, step: int, nll: float, rate: float) -> None:
        self.write(step=step, nll=nll)

    def validated(self, step: int, nll: float, tracks: dict[str, float], best: bool) -> None:
        self.write(step=step, validation=nll, tracks=tracks)

    def previewed(self, step: int, folder: pathlib.Path, verdicts: list[str]) -> None:
        self.write(step=step, previews=verdicts)

    def saving(self, step: int) -> None:
        self.flush()  # a checkpoint must not know more than the log

    def judged(self, step: int, best: int, nll: float, tracks: dict[str, float]) -> None:
        self.write(step=step, best=best, held_out=nll, tracks=tracks)

    def write(self, **row: typing.Any) -> None:
        line = _line(row)
        with written(self._path):
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self) -> None:
        with written(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _line(row: dict[str, typing.Any]) -> bytes:
    return (json.dumps(row) + "\n").encode()
