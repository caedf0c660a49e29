"""What was played: `Audio`, in memory or as files."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..clips import wavs as clips
from ..clips.manifest import Clip
from ..errors import AudioError
from ..levels.quantize import Codec
from .folder import ClipFolder, relative
from .request import Request
from .session import Where


class Audio:
    """`n` clips of one call, mono.

    `.samples` float32 (n, 1, samples) in [-1, 1] and `.levels`, unsigned integers of the same shape; `.sample_rate`,
    `.seconds`, `.seed`, `.streams` int64 (n,); `.device`, `.dtype`, `.isa`, `.plan`: what played them, and what
    "auto" chose. Clips that were played into a folder have `.files`; their samples are read anew at each access.

    >>> audio = sharks.generate("run", seconds=0.2, n=3, seed=7)
    >>> audio.seconds, audio.streams.tolist()
    (0.2, [0, 1, 2])
    >>> [file.name for file in audio.save("clips")]
    ['0000.wav', '0001.wav', '0002.wav']
    """

    def __init__(
        self,
        rows: Sequence[Clip],
        codec: Codec,
        *,
        levels: NDArray[typing.Any] | None = None,
        folder: pathlib.Path | None = None,
        primers: NDArray[np.int32] | None = None,
        pack_path: pathlib.Path | None = None,
    ) -> None:
        first = rows[0]
        self.sample_rate, self.seed = first.sample_rate, first.seed
        self.streams = np.array([row.stream for row in rows], np.int64)
        self.device, self.dtype, self.isa, self.plan = first.device, first.dtype, first.isa, first.plan
        self.files = [folder / row.file for row in rows] if folder is not None else None
        self._rows, self._codec, self._levels = list(rows), codec, levels
        self._primers, self._pack_path = primers, pack_path

    @property
    def seconds(self) -> float:
        """How long each clip is, an included primer not counted."""
        return self._rows[0].samples / self.sample_rate

    @property
    def levels(self) -> NDArray[typing.Any]:
        if self._levels is not None:
            return self._levels[:, None]
        assert self.files is not None
        levels = np.empty((len(self.files), 1, self._length()), level_dtype(self._codec))
        with clips.LevelReader(self._codec, self.sample_rate) as reader:
            for i, file in enumerate(self.files):
                filled = 0
                for block in reader.read(file):
                    block = block[: levels.shape[2] - filled]
                    levels[i, 0, filled : filled + len(block)] = block
                    filled += len(block)
                if filled < levels.shape[2]:
                    raise AudioError(f"{file}: holds {filled} samples, wanted {levels.shape[2]}; generate it again")
        return levels

    @property
    def samples(self) -> NDArray[np.float32]:
        amplitudes: NDArray[np.float32] = self._codec.decode_table()[self.levels]
        return amplitudes

    def save(self, folder: str | os.PathLike[str]) -> list[pathlib.Path]:
        """Write one WAV per clip and the manifest into a folder, as `generate(out=folder)` does; the files' paths.

        Raises `UsageError` where the folder holds another clip of the same name, `ResourceError` where it cannot hold
        these.
        """
        folder = pathlib.Path(folder)
        rows = [dataclasses.replace(row, pack=relative(self._pack_path, folder)) for row in self._rows]
        with ClipFolder(folder, rows, self._codec, self._primers) as place:
            if place.missing():
                levels = self.levels[:, 0]
                with place.growing(range(len(rows))) as clips_of_this:
                    for start in range(0, levels.shape[1], 1 << 16):
                        clips_of_this.write(levels[:, start : start + (1 << 16)])
        return [folder / row.file for row in rows]

    def __repr__(self) -> str:
        return f"<Audio {len(self.streams)} x {self.seconds:g} s at {self.sample_rate} Hz, seed {self.seed}>"

    def _length(self) -> int:
        row = self._rows[0]
        included = self._primers.shape[1] if row.primer_included and self._primers is not None else 0
        return row.samples + included


def rows_of(
    request: Request, where: Where, samples: int, include_prime: bool, folder: pathlib.Path | None
) -> list[Clip]:
    """What the manifest says of a request's clips, played somewhere."""
    primers = None if request.primer is None else [clips.primer_sha256(levels) for levels in request.primer]
    conditions = None if request.condition is None else request.condition.tolist()
    return [
        Clip(
            file=clips.file_name(stream),
            stream=stream,
            seed=request.seed,
            temperature=request.schedule.of_stream(i),
            samples=samples,
            sample_rate=request.pack.spec.sample_rate,
            pack=None if folder is None else relative(request.pack.path, folder),
            pack_sha256=request.pack.sha256,
            primer_sha256=primers[i % len(primers)] if primers else None,
            primer_included=include_prime and primers is not None,
            start=request.start,
            condition=conditions[i] if conditions else None,
            **dataclasses.asdict(where),
        )
        for i, stream in enumerate(request.streams.tolist())
    ]


def audio_of(request: Request, rows: Sequence[Clip], **where: typing.Any) -> Audio:
    """The `Audio` of a request: `levels=` in memory, or `folder=`."""
    return Audio(rows, request.pack.spec.sound, primers=request.primer, pack_path=request.pack.path, **where)


def level_dtype(codec: Codec) -> type[np.unsignedinteger[typing.Any]]:
    """The smallest that holds every level."""
    return np.uint8 if codec.q_levels <= 256 else np.uint16
