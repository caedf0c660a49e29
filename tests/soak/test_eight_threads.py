"""Eight Python threads that play one pack, for longer than in the tests: bit for bit what they play one by one."""

from __future__ import annotations

import concurrent.futures
import time

import numpy as np
import pytest

import sharks

CALLS = 200
DTYPES = ("float32", "bfloat16", "int8")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("preset", ["dadabots-2tier-tiny", "ibab-wavenet-tiny"])
def test_eight_threads_play_the_serial_clips(preset, figure):
    spec = sharks.preset(preset)

    def clip(pack, i):
        return sharks.generate(
            *(pack, 0.05 + 0.01 * (i % 5), 1 + i % 7), seed=i % 50, threads=1 + i % 3, dtype=DTYPES[i % 3], device="cpu"
        ).levels

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        shared = sharks.random_pack(spec, seed=3)
        together = list(pool.map(lambda i: clip(shared, i), range(CALLS)))
    alone = sharks.random_pack(spec, seed=3)
    different = sum(not np.array_equal(clip(alone, i), got) for i, got in enumerate(together))
    figure(f"{preset}, 8 threads", f"{CALLS} clips, {different} other than alone, {time.monotonic() - began:.0f} s")
    assert different == 0
    assert len({got.tobytes() for got in together}) > 100, "clips that are all alike would prove nothing"
