"""The same clip, but longer.

A clip's manifest line and its WAV are enough: the model hears the clip again, from its start and its primer on, and
then plays on with the noise of the next step. What was there stays as it was, bit by bit, wherever it was made.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing

import numpy as np
from numpy.typing import NDArray

from ..clips import manifest
from ..clips import wavs as clips
from ..clips.locks import locked
from ..clips.manifest import Clip
from ..errors import AudioError, PackError, UsageError, arguments
from ..packs.pack import Pack, pack_of
from ..sound.reading import info
from ..sound.wav import HEADER_BYTES
from .audio import Audio, audio_of
from .progress import Meter, Progress
from .request import request
from .schedule import steps
from .session import Session, Where
from .voiced import session_of


class LongEnough(UsageError):
    """The clip lasts as long as it shall, or longer: `seconds`."""

    def __init__(self, wanted: float, path: pathlib.Path, seconds: float) -> None:
        super().__init__(f"to_seconds is {wanted}, but {path} lasts {seconds:g} s already; ask for more")
        self.seconds = seconds


def extend(
    clip: str | os.PathLike[str],
    to_seconds: float,
    *,
    pack: Pack | str | os.PathLike[str] | None = None,
    device: str = "auto",
    dtype: str = "float32",
    threads: int | None = None,
    plan: str = "default",
    progress: Progress | None = None,
) -> Audio:
    """Make a clip of `generate(out=...)` or `Audio.save` last `to_seconds` seconds, an included primer not counted.

    `pack` is needed where the one of the manifest has moved. The file is replaced when the longer one is there; an
    interrupt keeps what was played so far. With the device, dtype, instruction set and plan that made the clip, the
    result is the clip that `generate` would have played at once; the manifest records what played on. Raises
    `AudioError` for a file that is not such a clip, `UsageError` (`LongEnough`) where it lasts as long already,
    `PackError` for another pack.

    >>> clip = sharks.generate("run", seconds=0.2, seed=7, out="clips").files[0]
    >>> sharks.extend(clip, to_seconds=0.5)
    <Audio 1 x 0.5 s at 16000 Hz, seed 7>
    """
    path = arguments.path("clip", clip)
    arguments.positive("to_seconds", to_seconds)
    arguments.function("progress", progress)
    if path.name not in manifest.read(path.parent):
        raise AudioError(f"{path}: is in no manifest beside it; only clips that sharks generated can be extended")
    with locked(path.parent):
        return _extend(path, to_seconds, pack, progress, device=device, dtype=dtype, threads=threads, plan=plan)


def _extend(
    path: pathlib.Path,
    to_seconds: float,
    pack: Pack | str | os.PathLike[str] | None,
    progress: Progress | None,
    **on: typing.Any,
) -> Audio:
    row = manifest.read(path.parent)[path.name]
    model = _pack_of(row, path.parent, pack)
    codec, total = model.spec.sound, steps("to_seconds", to_seconds, row.sample_rate)
    primer = _primer_of(row, path.parent, model)
    before = primer.shape[1] if primer is not None and row.primer_included else 0
    have = info(path).frames - before
    if have >= total:
        raise LongEnough(to_seconds, path, have / row.sample_rate)
    meter = Meter(progress, total, 1, row.sample_rate)
    music = request(
        model,
        1,
        temperature=row.temperature,
        seed=row.seed,
        streams=[row.stream],
        start=row.start,
        condition=None if row.condition is None else [row.condition],
    )
    music = dataclasses.replace(music, primer=primer)
    session = session_of(music, **on)
    clips.check_room(path.parent, HEADER_BYTES + 2 * (before + total))
    unfinished, done = clips.unfinished_path(path), 0
    try:
        with clips.ClipWriters([unfinished], codec, row.sample_rate) as writer:
            session.begin()
            _hear(session, path, before, writer)
            for piece in meter.play(session):
                writer.write(piece)
                done = session.step
    finally:
        if done > have:
            _replace(unfinished, path)
            row = _played_on(dataclasses.replace(row, samples=done), session.where)
            manifest.write(path.parent, [row])
        unfinished.unlink(missing_ok=True)
    return audio_of(music, [row], folder=path.parent)


def _hear(session: Session, path: pathlib.Path, before: int, writer: clips.ClipWriters) -> None:
    """Copy a clip to `writer` and let the session go through it after the first `before` samples."""
    codec, position = session.request.pack.spec.sound, 0
    with clips.LevelReader(codec, session.request.pack.spec.sample_rate) as reader:
        for block in reader.read(path):
            writer.write(block[None])
            session.again(block[None, max(0, before - position) :], path)
            position += len(block)


def _pack_of(row: Clip, folder: pathlib.Path, pack: Pack | str | os.PathLike[str] | None) -> Pack:
    """The pack that made a clip: the one given, or the one its manifest names; refused if it is another one."""
    if pack is None:
        if row.pack is None:
            raise UsageError(f"{folder / row.file}: its pack was never saved; name it (--pack, in Python pack=)")
        if not (folder / row.pack).exists():
            raise PackError(
                f"{folder / row.pack}: the clip's pack is no longer here; name it (--pack, in Python pack=)"
            )
        pack = folder / row.pack
    model = pack_of(pack)
    if model.sha256 != row.pack_sha256:
        raise PackError(
            f"{model.path or 'pack'}: is not the pack that made {row.file} (SHA-256 {model.sha256[:12]}..., wanted "
            f"{row.pack_sha256[:12]}...); give that one"
        )
    return model


def _primer_of(row: Clip, folder: pathlib.Path, pack: Pack) -> NDArray[np.int32] | None:
    """The levels (1, samples) that a clip heard before its first sample."""
    if row.primer_sha256 is None:
        return None
    path = clips.primer_path(folder, row.primer_sha256)
    with clips.LevelReader(pack.spec.sound, row.sample_rate) as reader:
        levels = np.concatenate(list(reader.read(path)))
    if clips.primer_sha256(levels) != row.primer_sha256:
        raise AudioError(f"{path}: is not the primer that {row.file} was made with; put that one back")
    return levels[None]


def _played_on(row: Clip, where: Where) -> Clip:
    """A clip's line with what played its end, after what played its beginning if that was something else."""

    def both(before: str, now: str) -> str:
        return before if before.split(", then ")[-1] == now else f"{before}, then {now}"

    return dataclasses.replace(
        row,
        device=both(row.device, where.device),
        dtype=both(row.dtype, where.dtype),
        isa=both(row.isa, where.isa),
        plan=both(row.plan, where.plan),
    )


def _replace(new: pathlib.Path, old: pathlib.Path) -> None:
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    os.replace(new, old)
