"""How much memory a step needs and a machine has: a batch that does not fit is taken in pieces."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
from dataclasses import dataclass

import torch

from ...errors import ResourceError
from ...families.spec import parameters
from ..music.batches import Batch
from .learner import Learner

_SHARE = 0.8  # of what is free; the rest is for everything else


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


def fit(learner: Learner, batch: Batch) -> int:
    """The fewest pieces in which a step's batch fits into memory, found by rehearsing; `ResourceError` if none do.

    Every core holds one at a time.
    """
    streams, parameters = len(batch.fresh), sum(p.numel() for p in learner.model.parameters())
    moments = 2 * 4 * parameters  # which the optimiser asks for at its first step
    if learner.device.type == "cuda":
        return _by_trying(learner, batch, moments)
    cores = learner.cores.count
    few = max(cores, streams // 8 // cores * cores)  # so that all of them are held at once
    peaks = []
    for count in (few, 2 * few):
        forget_peak()  # what this process did before may have needed more
        learner.rehearse(Batch(batch.levels[:count], batch.fresh[:count]))
        peaks.append(peak(learner.device))
    free, each = available() / learner.processes.size - moments, max(0, peaks[1] - peaks[0]) / few
    for pieces in _divisors(streams):
        if pieces % cores == 0 and (streams / pieces * cores - 2 * few) * each <= _SHARE * free:
            return pieces
    raise ResourceError(f"memory: {_gb(free)} are free, and one stream needs {_gb(each)}; {_SMALLER}")


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
    highest = _kilobytes("/proc/self/status", "VmHWM")
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


def available() -> int:
    """Bytes that this process may still ask for: what the machine has free, its group's share, its own limit."""
    found = [_kilobytes("/proc/meminfo", "MemAvailable"), _group(), _limit()]
    return min([amount for amount in found if amount is not None], default=1 << 62)


def _kilobytes(file: str, name: str) -> int | None:
    """Bytes, from the line of a file that says "name: count kB"."""
    try:
        lines = pathlib.Path(file).read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return None


def _group() -> int | None:
    folder = pathlib.Path("/sys/fs/cgroup")
    try:
        most, used = ((folder / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        return None if most == "max" else int(most) - int(used)
    except (OSError, ValueError):
        return None


def _limit() -> int | None:
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        return None if most == resource.RLIM_INFINITY else most - pages * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return None


def _gb(count: float) -> str:
    return f"{max(0.0, count) / 2**30:.1f} GB"
