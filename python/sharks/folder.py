"""A folder that clips are played into, and what keeps it from losing any.

The manifest is there before the first sample, so that even a clip that is cut short knows what it is. A clip is only
ever written over by the same clip; finished clips are found, not played again.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import types
import typing
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import clips, manifest
from .errors import UsageError
from .manifest import Clip
from .quantize import Codec

_WAV_HEADER_BYTES = 44


class ClipFolder:
    """`rows`, one per stream, become files in `path` while levels are written; a context manager.

    `primers` are the levels that came before, int32 (1 or n, samples), or None. Raises `UsageError` where another clip
    has a row's name, and where 16 bits cannot hold the codec; `ResourceError` where the disk cannot.
    """

    def __init__(
        self, path: pathlib.Path, rows: Sequence[Clip], codec: Codec, primers: NDArray[np.int32] | None
    ) -> None:
        if len({row.file for row in rows}) < len(rows):
            raise UsageError("streams names one stream twice, but their clips would have the same file; leave one out")
        clips.check_levels_survive(codec)
        clips.make_folder(path)
        self.path, self._codec, self._primers = path, codec, primers
        self._known = manifest.read(path)
        self._rows = list(rows)
        self._before = primers.shape[1] if primers is not None and self._rows[0].primer_included else 0
        self._refuse_others()

    def finished(self) -> bool:
        """Whether every clip is here, and at least as long as asked for."""
        for row in self._rows:
            known, file = self._known.get(row.file), self.path / row.file
            whole = known is not None and known.samples >= row.samples
            if not whole or not file.exists() or file.stat().st_size < _WAV_HEADER_BYTES + 2 * row.samples:
                return False
        return True

    def check_room(self) -> None:
        """`ResourceError` where the disk cannot hold all that is still to be written, `UsageError` where no WAV can."""
        if not self.finished():
            row = self._rows[0]
            clips.check_room(self.path, len(self._rows), self._before + row.samples, row.sample_rate)

    def __enter__(self) -> typing.Self:
        rate = self._rows[0].sample_rate
        if self._primers is not None:
            for primer in self._primers:
                clips.keep_primer(self.path, primer, self._codec, rate)
        manifest.write(self.path, [dataclasses.replace(row, samples=0) for row in self._rows])
        self._writers = clips.ClipWriters([self.path / row.file for row in self._rows], self._codec, rate)
        self._written = 0
        return self

    def write(self, levels: NDArray[typing.Any]) -> None:
        """Append levels int (n, count), or (1, count) for all; where primers are included, those come first."""
        self._writers.write(np.broadcast_to(levels, (len(self._rows), levels.shape[1])))
        self._written += levels.shape[1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._writers.close()
        samples = max(0, self._written - self._before)
        manifest.write(self.path, [dataclasses.replace(row, samples=samples) for row in self._rows])

    def _refuse_others(self) -> None:
        for row in self._rows:
            known = self._known.get(row.file)
            if not (self.path / row.file).exists():
                continue
            if known is None:
                raise UsageError(f"{self.path / row.file}: is there already, and in no manifest; choose another folder")
            if not row.same_music(known):
                raise UsageError(
                    f"{self.path / row.file}: is another clip, its {row.difference(known)}; choose another folder"
                )


def relative(path: pathlib.Path | None, folder: pathlib.Path) -> str | None:
    """A path as a folder's manifest keeps it, so that both can move together."""
    if path is None:
        return None
    try:
        return pathlib.PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.absolute())
