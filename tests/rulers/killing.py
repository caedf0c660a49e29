"""Train a small run, kill it again and again, and let it end: FOLDER/killed, beside the unbroken FOLDER/whole.

    python tests/rulers/killing.py FOLDER KILLS [SEED]

Every other kill strikes inside a save, at a random one of its writes, syncs and renames; the others come at any moment.
Each life is a fork of this process, so that torch is imported once. Run it with OMP_NUM_THREADS=1: a fork has only
one thread. The last line of the output is a report as JSON.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import traceback

import torch

from faults import Faults
from made_songs import dataset
from sharks.training.loop import Loop
from sharks.training.run import checkpoint
from small_runs import RATE, trained

POINTS = 50  # a save has as many or more
STEPS_PER_LIFE = 12  # of which a life can do about eight: every fourth ends in a checkpoint


def killed(tmp_path, *words):
    """The report of this program: how often it killed, and where."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, __file__, tmp_path, *words], env=environment, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    folder, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    torch.set_num_threads(1)
    steps = STEPS_PER_LIFE * (kills + 2)
    _life(folder / "whole", steps)
    out, ends, killed = folder / "killed", [], {"inside": 0, "outside": 0}
    for number in range(kills):
        inside = number % 2 == 0
        before = _newest(out)
        if inside:
            ends.append(_life(out, steps, save=chance.randrange(1, 3), point=chance.randrange(POINTS)))
        else:
            ends.append(_life(out, steps, seconds=chance.uniform(0, 0.2), after=before))
        killed["inside" if inside else "outside"] += ends[-1] == -signal.SIGKILL
    if (end := _life(out, steps)) != 0:
        raise SystemExit(f"the last life ended with {end}")
    print(json.dumps(killed | {"ends": ends}))


def _life(
    out: pathlib.Path, steps: int, save: int = 0, point: int = 0, seconds: float | None = None, after: int = 0
) -> int:
    """Train in a fork; 0 if it came to its end, else the negative signal.

    Killed in its `save`-th save at a point (0: never), or `seconds` after it has a checkpoint beyond step `after`.
    """
    child = os.fork()
    if not child:
        _train(out, steps, save, point)
    if seconds is not None:
        deadline = time.monotonic() + 60
        while _newest(out) <= after and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _newest(out: pathlib.Path) -> int:
    return max([0, *checkpoint.steps(out / "checkpoints")])


def _train(out: pathlib.Path, steps: int, save: int, point: int) -> None:
    if save:
        _kill_inside(out, save, point)
    try:
        trained(dataset(RATE, (9000, 7000), (6000, 5000)), out, steps=steps)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _kill_inside(out: pathlib.Path, save: int, point: int) -> None:
    real, count = Loop._save, [0]

    def watched(self: Loop) -> None:
        count[0] += 1
        with Faults(out, point if count[0] >= save else None, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            real(self)

    Loop._save = watched  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
