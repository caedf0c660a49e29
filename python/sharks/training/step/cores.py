"""Threads that take the pieces of a batch side by side.

A recurrent layer is a long chain of products, each too small to be shared by cores: two halves of a batch, each on a
core of its own, are nearly twice as fast as the whole on both.
"""

from __future__ import annotations

import threading
import typing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

Job = typing.TypeVar("Job")
Result = typing.TypeVar("Result")


class Cores:
    """`count` threads, each with its share of the cores that torch has; one: the caller's own, with all of them."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        if count == 1:
            return
        every, all_there = torch.get_num_threads(), threading.Barrier(count + 1, timeout=60)

        def begin() -> None:
            torch.get_num_threads()  # what a thread asks first makes torch give it as many as all others have
            torch.set_num_threads(max(1, every // count))  # of this thread, and of all that torch meets later
            all_there.wait()

        self._threads = ThreadPoolExecutor(count, "core", begin)
        for _ in range(count):
            self._threads.submit(lambda: None)
        all_there.wait()
        torch.set_num_threads(every)

    def each(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """The results in the order of the jobs. What a job raises is raised when its turn comes.

        A job that is alone has the caller's thread, with all the cores.
        """
        return map(work, jobs) if self.count == 1 or len(jobs) == 1 else self._threads.map(work, jobs)


def how_many(streams: int, fewest: int = 1) -> int:
    """For so many streams: as many cores as torch has threads, if all get equal shares of `fewest` or more."""
    threads = torch.get_num_threads()
    fair = (n for n in range(1, threads + 1) if threads % n == 0 and streams % n == 0)
    return max((n for n in fair if streams // n >= fewest), default=1)
