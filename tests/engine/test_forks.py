"""A forked child is refused a player whose threads it does not have, and may open its own."""

import subprocess
import sys

import pytest

pytest.importorskip("sharks._core", reason="the compiled engine is not built")

CHILD = """
import gc, os, sys
import numpy as np
import sharks
pack = sharks.random_pack(sharks.preset("dadabots-2tier-tiny"), seed=3)
live = sharks.stream(pack, 4, block=0.01, seed=1, threads=int(sys.argv[1]))
first = next(live)
child = os.fork()
if not child:
    for ask in (lambda: next(live), live._session.state, live._session.begin):
        try:
            ask()
            print("not refused", flush=True)
        except sharks.UsageError as error:
            print(error, flush=True)
    again = next(sharks.stream(pack, 4, block=0.01, seed=1, threads=2))
    print(np.array_equal(again, first), flush=True)
    del live
    gc.collect()
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(next(live).shape == first.shape)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stream_in_a_forked_child_is_refused(threads):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(threads)], capture_output=True, text=True, timeout=60, check=True
    )
    refused = "a player or stream of before a fork has none of its threads here; open one after it"
    assert done.stdout.splitlines() == [refused] * 3 + ["True", "7", "True"]
