"""What a second thread is worth while other programs want the machine: one thread and two, with nobody beside them, and
with one and two programs that never rest.

    python bench/busy.py [--rounds 5]

Pairs are taken in turn in one process, so that both meet the same machine; a ratio is the median over the rounds. Two
threads shall never be slower than 0.9 of one, and lose nothing where nobody else works.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

import sharks
from sharks.engine.door import open_player

PRESETS = ("ibab-wavenet", "prism-3tier")
DTYPES = ("float32", "int8")
SPAN = 0.5  # seconds that a figure is measured for, after as many to settle in


@contextlib.contextmanager
def company(count: int) -> Iterator[None]:
    """So many other programs, each of which wants a core for itself."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(0.2 * bool(count))
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


class Played:
    """One stream of a preset's model on some threads."""

    def __init__(self, pack: sharks.Pack, dtype: str, threads: int) -> None:
        self._player = open_player(pack, 1, device="cpu", dtype=dtype, threads=threads)
        self._player.reset(np.full((1, pack.spec.lookback), 128, np.int32))
        self._chunk = 640

    def speed(self, seconds: float) -> float:
        """Samples per second."""
        samples, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            self._player.run(self._chunk, np.ones((1, self._chunk), np.float32), 1, np.zeros(1, np.int64))
            samples += self._chunk
        return samples / passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| preset | dtype | others | 1 thread, samples/s | 2 threads / 1 | lowest | highest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for preset in PRESETS:
        pack = sharks.random_pack(sharks.preset(preset), seed=1)
        for dtype in DTYPES:
            for others in (0, 1, 2):
                one, two = (Played(pack, dtype, threads) for threads in (1, 2))
                alone, ratios = [], []
                with company(others):
                    for turn in range(rounds):
                        speeds = {}
                        for player in (one, two) if turn % 2 else (two, one):
                            player.speed(SPAN)
                            speeds[player] = player.speed(SPAN)
                        alone.append(speeds[one])
                        ratios.append(speeds[two] / speeds[one])
                print(
                    f"| {preset} | {dtype} | {others} | {statistics.median(alone):,.0f} "
                    f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
