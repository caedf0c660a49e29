"""A folder that clips are played into, and what keeps it from losing any.

The manifest is there before the first sample, so that even a clip that is cut short knows what it is. A clip is only
ever written over by the same clip. Finished clips are found, not played again; long ones go on from a bookmark.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import time
import types
import typing
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..clips import manifest
from ..clips import wavs as clips
from ..clips.locks import locked
from ..clips.manifest import Clip
from ..errors import Error, ResourceError, UsageError
from ..levels.quantize import Codec
from ..sound.wav import HEADER_BYTES
from . import bookmark
from .session import Session


class ClipFolder:
    """`rows`, one per stream, that are or become files in `path`.

    `primers` are the levels that came before, int32 (1 or n, samples), or None; `rank` is that of one of several
    processes that share the folder. A context manager, which holds the folder. Raises `UsageError` where another clip
    has a row's name, and where 16 bits cannot hold the codec; `ResourceError` where the disk cannot, and where another
    process has the folder.
    """

    def __init__(
        self,
        path: pathlib.Path,
        rows: Sequence[Clip],
        codec: Codec,
        primers: NDArray[np.int32] | None,
        rank: int | None = None,
    ) -> None:
        if len({row.file for row in rows}) < len(rows):
            raise UsageError("streams names one stream twice, but their clips would have the same file; leave one out")
        clips.check_levels_survive(codec)
        self.path, self._codec, self._primers, self._rank = path, codec, primers, rank
        self._rows = list(rows)
        self._before = primers.shape[1] if primers is not None and rows[0].primer_included else 0
        self._bytes = HEADER_BYTES + 2 * (self._before + rows[0].samples)  # of a finished clip

    def __enter__(self) -> typing.Self:
        self._is_new = not self.path.exists()
        clips.make_folder(self.path)
        with contextlib.ExitStack() as holding:
            holding.enter_context(locked(self.path, self._rank))
            self._known = manifest.read(self.path)
            self._refuse_others()
            self._holding = holding.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._holding.close()
        if kind is not None and self._is_new:
            with contextlib.suppress(OSError):  # where something was played, it stays
                self.path.rmdir()

    def missing(self) -> list[int]:
        """Which rows' clips are not here, or shorter than asked for."""
        return [i for i, row in enumerate(self._rows) if not self._finished(row)]

    def check_room(self) -> None:
        """`ResourceError` where the disk cannot hold all that is still to be written."""
        files = [self.path / self._rows[i].file for i in self.missing()]
        there = sum(file.stat().st_size for file in files if file.exists())
        clips.check_room(self.path, len(files) * self._bytes - there)

    def announce(self) -> None:
        """Let the manifest name clips of which there is nothing yet: so it is known what was asked for."""
        nothing = [row for row in self._rows if row.file not in self._known and not (self.path / row.file).exists()]
        if nothing:
            manifest.write(self.path, [dataclasses.replace(row, samples=0) for row in nothing], self._rank)

    def growing(self, some: Sequence[int], session: Session | None = None) -> Growing:
        """Write some of the rows' clips: what `session` plays, or from their start."""
        primers = self._primers
        if primers is not None and len(primers) > 1:
            primers = primers[some]
        return Growing(self.path, [self._rows[i] for i in some], self._codec, primers, self._rank, session)

    def tidy(self) -> None:
        """Remove what an interrupt can have left: half-written files, and bookmarks of clips that are finished."""
        for row in self._rows:
            if self._finished(row):
                bookmark.path_of(self.path / row.file).unlink(missing_ok=True)
        mine = {pathlib.PurePath(row.file).stem for row in self._rows}
        ours = ".manifest.*" if self._rank is None else f".{manifest.name(self._rank)}.*.unfinished"
        half = (path for path in self.path.glob(".*.unfinished") if path.name[1:].split(".")[0] in mine)
        for path in (*self.path.glob(ours), *half):
            path.unlink(missing_ok=True)

    def _finished(self, row: Clip) -> bool:
        known, file = self._known.get(row.file), self.path / row.file
        if known is None or known.samples < row.samples or not file.exists():
            return False
        return file.stat().st_size >= self._bytes

    def _refuse_others(self) -> None:
        for row in self._rows:
            known, path = self._known.get(row.file), self.path / row.file
            if known is None and path.exists():
                raise UsageError(f"{path}: is there already, and in no manifest; choose another folder")
            here = path.exists() or self._rank is not None  # nobody can correct the manifest of another process
            if known is not None and here and not row.same_music(known):
                raise UsageError(f"{path}: is another clip, its {row.difference(known)}; choose another folder")
            if known is not None and path.is_file() and not self._is_as_written(row):
                raise UsageError(f"{path}: was changed after it was played; move it, or choose another folder")

    def _is_as_written(self, row: Clip) -> bool:
        """What would be written over is looked at to its end."""
        return clips.is_as_written(self.path / row.file, self._codec, whole=not self._finished(row))


class Growing:
    """Clips while they are written side by side; a context manager.

    With a session, it is begun, or brought to where it was in an interrupted call, and the files with it.
    """

    def __init__(
        self,
        path: pathlib.Path,
        rows: list[Clip],
        codec: Codec,
        primers: NDArray[np.int32] | None,
        rank: int | None,
        session: Session | None,
    ) -> None:
        self._path, self._rows, self._codec, self._primers, self._rank = path, rows, codec, primers, rank
        self._session, self._written = session, 0
        self._files = [path / row.file for row in rows]
        self._bookmark = bookmark.path_of(self._files[0])
        self._included = primers if rows[0].primer_included else None
        self._before = 0 if self._included is None else self._included.shape[1]

    def __enter__(self) -> typing.Self:
        rate = self._rows[0].sample_rate
        for primer in self._primers if self._primers is not None else ():
            clips.keep_primer(self._path, primer, self._codec, rate)
        self._remember(0)
        if not self._goes_on():
            if self._session is not None:
                self._session.begin()
            self._writers = clips.ClipWriters(self._files, self._codec, rate)
            if self._session is not None and self._included is not None:
                self._append(self._included)
        self._next_bookmark = time.monotonic() + bookmark.EVERY
        return self

    def write(self, levels: NDArray[typing.Any]) -> None:
        """Append levels int (n, count). Without a session, an included primer comes first."""
        self._append(levels)
        began = time.monotonic()
        if self._session is not None and began >= self._next_bookmark:
            self.set_bookmark()
            now = time.monotonic()
            self._next_bookmark = now + bookmark.EVERY * max(1.0, (now - began) / bookmark.SLOW)

    def set_bookmark(self) -> None:
        """Remember the place: after whatever was played has been written."""
        assert self._session is not None
        here = bookmark.Bookmark(self._session.state(), self._writers.digests)
        with contextlib.suppress(ResourceError):  # a disk with room for the clips alone will do
            bookmark.save(self._bookmark, self._rows, here)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        with contextlib.closing(self._writers):
            if kind is None:
                self._writers.sync()  # the manifest is on the disk as soon as it says that they are finished
        self._remember(max(0, self._written - self._before))
        if kind is None:
            for file in self._files:  # of other companies too, in which an earlier call played them
                bookmark.path_of(file).unlink(missing_ok=True)

    def _goes_on(self) -> bool:
        """Whether there is a bookmark that session and files could be brought to."""
        found = bookmark.find(self._bookmark, self._rows) if self._session is not None else None
        if self._session is None or found is None:
            return False
        keep = self._before + found.step
        try:
            writers = clips.ClipWriters(self._files, self._codec, self._rows[0].sample_rate, keep)
        except Error:  # a file has gone, or is shorter
            return False
        try:
            if writers.digests != found.digests:
                raise UsageError("the clips were changed since")
            self._session.resume(found.state)
        except Error:
            writers.close()
            return False
        self._writers, self._written = writers, keep
        return True

    def _append(self, levels: NDArray[typing.Any]) -> None:
        self._writers.write(np.broadcast_to(levels, (len(self._rows), levels.shape[1])))
        self._written += levels.shape[1]

    def _remember(self, samples: int) -> None:
        manifest.write(self._path, [dataclasses.replace(row, samples=samples) for row in self._rows], self._rank)


def relative(path: pathlib.Path | None, folder: pathlib.Path) -> str | None:
    """A path as a folder's manifest keeps it, so that both can move together."""
    if path is None:
        return None
    try:
        return pathlib.PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.absolute())
