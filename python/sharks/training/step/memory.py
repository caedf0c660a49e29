"""How much memory a step needs and a machine has: a batch that does not fit is taken in pieces."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
import typing
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ...errors import ResourceError
from ...families.spec import Spec, parameters
from ...proof.memory import available, kilobytes
from ...recipes.recipe import TrainRecipe
from ..music.batches import Batch

if typing.TYPE_CHECKING:
    from .learner import Learner

_SHARE = 0.8  # of what is free; the rest is for everything else
_DARE = 0.9  # of it, for as long as a step is tried out


@dataclass(frozen=True)
class Size:
    """What a model takes, and what there is."""

    parameters: int  # of a pack
    memory_bytes: int  # weights, gradients, moments and the rehearsed step
    memory_free: int  # bytes that may still be asked for
    checkpoint_bytes: int


def size(learner: Learner) -> Size:
    """Of a learner that has rehearsed a step, and may have taken some."""
    count, trained = parameters(learner.spec), sum(p.numel() for p in learner.model.parameters())
    moments = 2 * 4 * trained  # which the optimiser asks for at its first step
    return Size(
        parameters=count,
        memory_bytes=peak(learner.device) + (0 if learner.steps else moments),
        memory_free=available(),
        checkpoint_bytes=4 * (count + trained * (3 + bool(learner.train.ema))),
    )


def check(spec: Spec, train: TrainRecipe, processes: int) -> None:
    """`ResourceError` for a model that cannot learn here whatever its batch, before anything is made of it."""
    each = 3 + bool(train.ema)  # weights, gradients and a moment, or two; the average
    wanted, free = 4 * each * parameters(spec), available() / processes
    if wanted > free:
        raise ResourceError(f"memory: {_gb(free)} are free, and to learn the model needs {_gb(wanted)}; {_SMALLER}")


def fit(learner: Learner, batch: Batch) -> int:
    """The fewest pieces in which a step's batch fits into memory, found by rehearsing; `ResourceError` if none do.

    Every core holds one at a time.
    """
    streams, parameters = len(batch.fresh), sum(p.numel() for p in learner.model.parameters())
    moments = 2 * 4 * parameters  # which the optimiser asks for at its first step
    if learner.device.type == "cuda":
        return _by_trying(learner, batch, moments)
    cores = learner.cores.count
    most = max(cores, streams // 8 // cores * cores)

    def needed(count: int) -> int:
        forget_peak()  # what this process did before may have needed more
        learner.rehearse(Batch(batch.levels[:count], batch.fresh[:count]))
        return peak(learner.device)

    def held() -> int:
        forget_peak()
        return peak(learner.device)

    fewest = min(needed(cores), needed(cores))  # the first also warms things up
    line = _Line(cores, fewest, 2 * cores, needed(2 * cores))
    while line.many <= most and line.at(2 * line.many) - held() <= _DARE * available() / learner.processes.size:
        # The further apart the two, the less does it matter what else happens.
        line = line._replace(many=2 * line.many, higher=needed(2 * line.many))
    now, free = held(), available() / learner.processes.size - moments
    for pieces in _divisors(streams):
        if pieces % cores == 0 and line.at(streams / pieces * cores) - now <= _SHARE * free:
            return pieces
    raise ResourceError(f"memory: {_gb(free)} are free, and one stream needs {_gb(line.each)}; {_SMALLER}")


class _Line(typing.NamedTuple):
    """What this process holds at most with so many streams at once, by two measurements."""

    few: int
    lower: int  # bytes, with few
    many: int
    higher: int  # bytes, with many

    @property
    def each(self) -> float:
        return max(0, self.higher - self.lower) / (self.many - self.few)

    def at(self, count: float) -> float:
        return self.lower + (count - self.few) * self.each


def _by_trying(learner: Learner, batch: Batch, moments: int) -> int:
    total = torch.cuda.get_device_properties(learner.device).total_memory
    for pieces in _divisors(len(batch.fresh)):
        try:
            torch.cuda.reset_peak_memory_stats(learner.device)
            learner.rehearse(batch, pieces)
            if torch.cuda.max_memory_reserved(learner.device) + moments < 0.95 * total:
                return pieces
        except torch.OutOfMemoryError:
            pass
        torch.cuda.empty_cache()
    raise ResourceError(f"{learner.device} has {_gb(total)}, too little for one stream; {_SMALLER}")


@contextlib.contextmanager
def refusals(device: torch.device, train: TrainRecipe) -> Iterator[None]:
    """What any allocator says when there is no more, as a `ResourceError`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError, for GPUs only
        full = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in _FULL)
        if not full:
            raise
        raise ResourceError(
            f"{device} has not enough memory for batch {train.batch} x {train.chunk_len}; "
            "use a smaller batch, model.dim or train.chunk_len"
        ) from None


_FULL = ("can't allocate memory", "not enough memory", "Cannot allocate memory", "bad_alloc", "can't start new thread")
_SMALLER = "use a smaller model.dim or train.chunk_len"


def _divisors(count: int) -> list[int]:
    return [n for n in range(1, count + 1) if count % n == 0]


def forget_peak() -> None:
    """Let the peak of this process begin anew, without what is kept of memory that was freed; only Linux can."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other C libraries keep nothing, or do not say
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")


def peak(device: torch.device) -> int:
    """Bytes: of the device, or of this process so far where it can be asked."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    highest = kilobytes(pathlib.Path("/proc/self/status"), "VmHWM")
    if highest is not None:
        return highest
    try:
        import resource
        import sys

        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return found if sys.platform == "darwin" else found * 1024
    except ImportError:
        return 0


def current(device: torch.device) -> int:
    """Bytes held now; 0 where nobody can say."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    try:
        import resource

        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return 0


def _gb(count: float) -> str:
    return f"{max(0.0, count) / 2**30:.1f} GB"
