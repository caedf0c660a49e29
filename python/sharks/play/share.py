"""Sharing streams out to processes that never speak to one another: process `rank` of `of` plays every `of`-th stream.

A clip is a function of its stream's number and not of its company, so nothing needs to be agreed on but the seed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import UsageError, arguments
from .request import Request

LAUNCHERS = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))  # torchrun and its like; srun

Share = tuple[int, int]  # rank, of


def share_of(whole: Request, share: Share, *, seeded: bool) -> Request:
    """The streams of `whole` that are this process's. `UsageError` where there are none, or without a given seed."""
    wanted = "(rank, of), such as (0, 4)"
    rank, of = (arguments.whole("share", part, wanted=wanted) for part in arguments.pair("share", share, wanted))
    if not rank < of:
        raise UsageError(f"share is {share}; wanted (rank, of) with a rank from 0 to {of - 1}")
    if of > 1 and not seeded:
        raise UsageError(
            f"is not given, but {of} processes share these clips and would each take another; give all the same one",
            argument="seed",
        )
    if rank >= whole.n:
        raise UsageError(f"share is {share}, but there are only {whole.n} streams; use fewer processes")
    if len(np.unique(whole.streams)) < whole.n:
        raise UsageError("streams names one stream twice, and two processes would play it; leave one out")
    return whole.take(range(rank, whole.n, of))


def of_environment(environment: Mapping[str, str]) -> Share | None:
    """What torchrun or SLURM says that this process is, or None where it is the only one.

    A batch script of SLURM is told how many tasks the job has, but is one process: only within a step, as srun starts
    it, do the numbers count.
    """
    for rank_name, of_name in LAUNCHERS:
        if rank_name not in environment or of_name not in environment:
            continue
        if rank_name.startswith("SLURM") and "SLURM_JOB_ID" in environment and "SLURM_STEP_ID" not in environment:
            continue
        said = f"{rank_name} is {environment[rank_name][:40]!r} and {of_name} is {environment[of_name][:40]!r}"
        try:
            rank, of = int(environment[rank_name]), int(environment[of_name])
        except ValueError:
            raise UsageError(f"{said}; wanted whole numbers, or neither") from None
        if not 0 <= rank < of:
            raise UsageError(f"{said}; wanted a rank from 0 to one less than the number of processes")
        return (rank, of) if of > 1 else None
    return None
