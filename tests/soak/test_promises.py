"""What is promised in minutes and seconds, on a machine that does nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np

from sharks.sound.health import health
from spoilt import music

RATE, SECONDS = 16000, 8


def test_the_model_in_the_box_plays_within_a_minute(tmp_path, figure):
    began = time.monotonic()
    command = [sys.executable, "-m", "sharks", "demo", "-o", "x", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    played = json.loads(done.stdout)["seconds"]
    figure("sharks demo", f"{played:.0f} s of music in {took:.1f} s")
    assert played >= 20 and took < 60


def test_health_is_a_hundred_times_faster_than_real_time(figure):
    x = music(np.random.default_rng(0), SECONDS * RATE, RATE).astype(np.float32)
    speed = SECONDS / min(_seconds(lambda: health(x, RATE)) for _ in range(5))
    figure("health", f"{speed:.0f} x real time")
    assert speed > 100


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
