"""What a run will come to, found out before it starts: its parts say what they know, and the next step is tried out."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

from ..errors import Error
from ..packs.pack import Pack
from .job import Job
from .music.batches import Batch
from .music.facts import MusicFacts
from .step import memory
from .step.learner import Learner
from .watch import previews
from .watch.run_facts import RunFacts

_PATIENCE = 2.0  # seconds: a step that takes longer needs no second try
_SHORT = 10.0  # seconds: a training that takes no longer needs no rehearsal of its previews


def rehearsed(
    job: Job, music: MusicFacts, learner: Learner, batch: Batch, spent: float, pack: Callable[[], Pack]
) -> RunFacts:
    """The plan of a run whose next step is from `batch`, this process's share, after `spent` hours; nothing is learnt.

    `pack` gives what there is to play by now.
    """
    to_learn = _when_warm(lambda: learner.rehearse(batch), _PATIENCE)
    size = memory.size(learner)  # before anything else is tried: a step's memory is what was held at most
    context = batch.levels.shape[1] - learner.train.chunk_len
    to_hear = _when_warm(lambda: learner.listen(batch.levels, context)) * learner.processes.size
    is_short = to_learn * (learner.train.steps - learner.steps) <= _SHORT
    return RunFacts(
        music=music,
        size=size,
        train=learner.train,
        folder=job.folder,
        device=str(job.device),
        processes=learner.processes.size,
        step=learner.steps,
        hours=job.hours,
        spent=spent,
        seconds_to_learn=to_learn,
        seconds_to_hear=to_hear,
        seconds_to_preview=0.0 if is_short or not learner.processes.first else _seconds_to_preview(job, pack),
    )


def _seconds_to_preview(job: Job, pack: Callable[[], Pack]) -> float:
    """0 where it cannot be told: a preview that fails says so when it is due. No pack is an error now."""
    train, playable = job.recipe.train, pack()
    with contextlib.suppress(Error, OSError, MemoryError):
        return previews.rehearse(playable, train.preview_seconds, train.temperature, job.seed)
    return 0.0


def _when_warm(work: Callable[[], object], patience: float = math.inf) -> float:
    """Seconds that `work` takes the second time: the first also warms things up, but counts if it took too long."""
    took = 0.0
    for _ in range(2):
        began = time.perf_counter()
        work()
        took = time.perf_counter() - began
        if took > patience:
            break
    return took
