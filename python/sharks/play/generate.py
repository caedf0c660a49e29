"""The public face of playing: generate, stream, logits, extend.

A clip is a pure function of (pack, seed, stream, temperature, primer, start, condition): not of how many streams play
beside it, of threads, of how the work is cut, or of a pause.
"""

from __future__ import annotations

import functools
import os
import resource
import typing
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.arrays import on_host
from ..engine.door import open_player
from ..errors import ResourceError, UsageError, arguments
from ..packs.pack import Pack, pack_of
from .audio import Audio, audio_of, level_dtype, rows_of
from .folder import ClipFolder
from .found import as_before
from .primer import Prime
from .progress import Meter, Progress
from .request import Request, request
from .schedule import Temperature, steps
from .session import Session, Spans
from .share import Share, share_of
from .stopping import asked_to_stop
from .voiced import session_of

__all__ = ["Audio", "Stream", "generate", "logits", "stream"]

MOST_TOGETHER = 256  # streams: more of them play no faster on a CPU, but need memory and open files
MOST_ON_GPU = 1024
OTHER_FILES = 64  # that a process has open besides its clips
AnyPack = Pack | str | os.PathLike[str]


def generate(
    pack: AnyPack,
    seconds: float = 10.0,
    n: int = 1,
    *,
    temperature: Temperature | None = None,
    seed: int | None = None,
    streams: ArrayLike | None = None,
    prime: Prime | None = None,
    prime_rate: float | None = None,
    include_prime: bool = False,
    start: str | None = None,
    condition: ArrayLike | None = None,
    device: str = "auto",
    dtype: str = "float32",
    threads: int | None = None,
    plan: str = "default",
    out: str | os.PathLike[str] | None = None,
    share: Share | None = None,
    progress: Progress | None = None,
) -> Audio:
    """Play `n` clips of `seconds` seconds -> `Audio`, float32 (n, 1, samples) in [-1, 1].

    pack         a `Pack`, or the path of one
    temperature  a number, one per stream (n,), or points [(seconds, value), ...] counted from the first free sample;
                 None is that of the pack's clips in `out`, or else the pack's own, or 0.95 where it names none
    seed         a whole number below 2^64; None takes that of the clips that are in `out` already, or else a random
                 one, which `Audio.seed` and the manifest record
    streams      the streams' numbers (n,), by default 0 to n - 1: clip 37 is the same alone or among 500
    prime        a path, or float samples (channels, samples) or (n, channels, samples) at `prime_rate` Hz: heard first,
                 and part of the clip only if `include_prime`
    start        where the model has a choice, as a WaveNet has: "silence" (one receptive field of it) or "empty"; None
                 is what its spec says
    condition    for a model with global conditioning: a class or a vector for all streams, or one per stream
    device, dtype, threads, plan    see `engine.open_player`
    out          a folder: the clips are written while they are played, can be heard whatever happens, and do not
                 gather in memory. The same call again finds finished clips and plays the others: from a bookmark,
                 which is set once a minute and on Ctrl-C, or from their start. One process at a time, or `share`
    share        (rank, of): only every `of`-th stream, from `rank` on. As many processes, each with another rank, make
                 the same clips, in one folder too, without waiting for one another; each needs the same `seed`
    progress     called about ten times a second with (seconds done, seconds in all, x real time per stream)

    Raises `UsageError` for arguments, `ResourceError` for memory, disk and device, `AudioError` for a primer's file.

    >>> audio = sharks.generate("run", seconds=0.5, n=2, temperature=[(0, 0.9), (0.5, 1.1)], seed=7)
    >>> audio.samples.shape, audio.sample_rate
    ((2, 1, 8000), 16000)
    """
    pack = pack_of(pack)
    samples = steps("seconds", seconds, pack.spec.sample_rate)
    whole = request(
        pack,
        n,
        temperature=temperature,
        seed=seed,
        streams=streams,
        prime=prime,
        prime_rate=prime_rate,
        start=start,
        condition=condition,
    )
    if share is not None:
        whole = share_of(whole, share, seeded=seed is not None)
    rank = share[0] if share is not None and share[1] > 1 else None
    include_prime = arguments.flag("include_prime", include_prime)
    arguments.function("progress", progress)
    folder = None if out is None else arguments.path("out", out)
    if folder is not None:
        whole = as_before(whole, folder, seeded=seed is not None, heated=temperature is not None)
    meter = Meter(progress, samples, whole.n, pack.spec.sample_rate)
    play = functools.partial(session_of, device=device, dtype=dtype, threads=threads, plan=plan)
    where = play(next(whole.parts(1))).where  # and refuses a device before anything is written
    rows = rows_of(whole, where, samples, include_prime, folder)
    most = most_together(where.device, open_files=folder is not None)
    if folder is None:
        return audio_of(whole, rows, levels=_in_memory(whole, samples, include_prime, play, meter, most))
    with ClipFolder(folder, rows, pack.spec.sound, whole.primer, rank) as place:
        _to_folder(whole, place, play, meter, most)
    return audio_of(whole, rows, folder=folder)


def most_together(device: str, open_files: bool) -> int:
    """How many streams one session plays at most: no clip depends on it. A clip that is written is an open file."""
    if device != "cuda":
        return MOST_TOGETHER
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = files - OTHER_FILES if open_files and files != resource.RLIM_INFINITY else MOST_ON_GPU
    return max(MOST_TOGETHER, min(MOST_ON_GPU, room))


def _in_memory(
    whole: Request, samples: int, include_prime: bool, play: Callable[[Request], Session], meter: Meter, most: int
) -> NDArray[np.unsignedinteger[typing.Any]]:
    before = whole.primer.shape[1] if include_prime and whole.primer is not None else 0
    levels = _empty((whole.n, before + samples), level_dtype(whole.pack.spec.sound), "use out= or stream()")
    if before:
        levels[:, :before] = whole.primer
    first = 0
    for part in whole.parts(most):
        session = play(part)
        session.begin()
        end = before
        for piece in meter.play(session):
            levels[first : first + part.n, end : end + piece.shape[1]] = piece
            end += piece.shape[1]
        first += part.n
    return levels


def _to_folder(whole: Request, place: ClipFolder, play: Callable[[Request], Session], meter: Meter, most: int) -> None:
    place.check_room()
    place.tidy()
    place.announce()
    missing = place.missing()
    meter.found(whole.n - len(missing))
    for first in range(0, len(missing), most):
        some = missing[first : first + most]
        session = play(whole.take(some))
        with place.growing(some, session) as clips, asked_to_stop() as stop:
            for piece in meter.play(session):
                clips.write(piece)
                if stop.is_set():
                    clips.set_bookmark()
                    raise KeyboardInterrupt


class Stream:
    """Endless audio: iterate for float32 (n, 1, block samples). `seed`, `streams` and `sample_rate` say what plays.

    Memory does not grow. Block by block it is the same audio as `generate` makes with the same arguments.

    >>> blocks = sharks.stream("run", seed=7)
    >>> blocks.seed, blocks.block_samples
    (7, 4000)
    """

    def __init__(self, session: Session, block_samples: int) -> None:
        self.seed, self.streams = session.request.seed, session.request.streams
        self.sample_rate, self.block_samples = session.request.pack.spec.sample_rate, block_samples
        self._session, self._begun = session, False
        self._table = session.request.pack.spec.sound.decode_table()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> NDArray[np.float32]:
        if not self._begun:
            self._session.begin()
            self._begun = True
        levels = np.concatenate(list(self._session.free(self.block_samples)), axis=1)
        block: NDArray[np.float32] = self._table[levels][:, None]
        return block


def stream(
    pack: AnyPack,
    n: int = 1,
    *,
    block: float = 0.25,
    temperature: Temperature | None = None,
    seed: int | None = None,
    streams: ArrayLike | None = None,
    prime: Prime | None = None,
    prime_rate: float | None = None,
    start: str | None = None,
    condition: ArrayLike | None = None,
    device: str = "auto",
    dtype: str = "float32",
    threads: int | None = None,
    plan: str = "default",
) -> Stream:
    """Play without end, in blocks of `block` seconds: an iterator of float32 (n, 1, samples) in [-1, 1].

    The other arguments are those of `generate`, and so are the errors, all raised before the first block.

    >>> for block in sharks.stream("run", n=2, block=0.25, seed=7):
    ...     print(block.shape)
    ...     break
    (2, 1, 4000)
    """
    pack = pack_of(pack)
    block_samples = steps("block", block, pack.spec.sample_rate)
    whole = request(
        pack,
        n,
        temperature=temperature,
        seed=seed,
        streams=streams,
        prime=prime,
        prime_rate=prime_rate,
        start=start,
        condition=condition,
    )
    return Stream(session_of(whole, device=device, dtype=dtype, threads=threads, plan=plan), block_samples)


def logits(
    pack: AnyPack,
    levels: ArrayLike,
    device: str = "cpu",
    dtype: str = "float32",
    *,
    threads: int | None = None,
    condition: ArrayLike | None = None,
    plan: str = "default",
) -> NDArray[np.float32]:
    """Teacher forcing: `levels` int (n, T) -> logits float32 (n, T - lookback, q_levels).

    `[:, i]` predicts `levels[:, lookback + i]` from everything before it, from the model's initial state. Raises
    `UsageError` for levels out of range, and for T not above `spec.lookback`.

    >>> audio = sharks.generate("run", seconds=0.1, seed=7)
    >>> sharks.logits("run", audio.levels[:, 0]).shape  # from 1600 samples, with a lookback of 16
    (1, 1584, 256)
    """
    pack = pack_of(pack)
    lookback, q = pack.spec.lookback, pack.spec.q_levels
    try:
        given = np.asarray(on_host("levels", levels))
    except ValueError:
        raise UsageError("levels are rows of different lengths; wanted whole numbers (n, T)") from None
    if given.ndim != 2 or given.dtype.kind not in "iu" or not len(given):
        raise UsageError(f"levels are {given.dtype} of shape {given.shape}; wanted whole numbers (n, T)")
    if given.shape[1] <= lookback:
        raise UsageError(f"levels hold {given.shape[1]} samples; wanted more than the lookback of {lookback}")
    if given.min() < 0 or given.max() >= q:
        raise UsageError(f"levels reach from {given.min()} to {given.max()}; wanted 0 to {q - 1}")
    given = given.astype(np.int32)
    player = open_player(pack, len(given), device=device, dtype=dtype, threads=threads, condition=condition, plan=plan)
    total = given.shape[1] - lookback
    predictions = _empty((len(given), total, q), np.float32, "use fewer or shorter streams")
    player.reset(given[:, :lookback])
    for start, count in Spans()(total):
        piece, _ = player.force(given[:, lookback + start : lookback + start + count])
        predictions[:, start : start + count] = piece
    return predictions


def _empty(shape: tuple[int, ...], dtype: typing.Any, advice: str) -> NDArray[typing.Any]:
    try:
        return np.empty(shape, dtype)
    except (MemoryError, ValueError):  # a size that cannot even be named is a ValueError
        size = float(np.prod([float(d) for d in shape])) * np.dtype(dtype).itemsize / 1e9
        raise ResourceError(f"the result needs {size:.3g} GB of memory; {advice}") from None
